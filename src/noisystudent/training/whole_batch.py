"""A network that is given a micro-batch draws, and normalizes, as if it were given the whole batch.

Within `WholeBatch`, dropout and stochastic depth draw for all images of the batch and keep the draws of those that are here; BatchNorm has
the statistics of the micro-batches of all processes, on processors too. (PyTorch's own synchronized BatchNorm is for GPUs alone.) On a
processor the draws are to the bit those of one process that is given the whole batch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from noisystudent import processes


class WholeBatch(TorchFunctionMode):
    """The context of a forward pass on a micro-batch.

    Args:
        total: images of the whole batch.
        here: int64 [n], the places in it of those that the network is given.
    """

    def __init__(self, total: int, here: Tensor) -> None:
        super().__init__()
        self._total, self._here = total, here

    def __torch_function__(self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        own: dict[Callable[..., Any], Callable[..., Any]] = {
            F.dropout: self._dropout,
            torch.Tensor.bernoulli_: self._bernoulli,
            F.batch_norm: self._batch_norm,
        }
        return own.get(func, func)(*args, **(kwargs or {}))

    def _dropout(self, images: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
        if not training or p == 0:
            return images
        kept = self._bernoulli(torch.empty_like(images), 1 - p).div_(max(1 - p, 1e-12))
        return images.mul_(kept) if inplace else images * kept

    def _bernoulli(self, into: Tensor, p: float) -> Tensor:
        """The draws of stochastic depth: one an image, into [n, 1, 1, 1]."""
        last = into.dim() == 4 and into.is_contiguous(memory_format=torch.channels_last)
        layout = torch.channels_last if last else torch.contiguous_format
        shape = (self._total, *into.shape[1:])
        drawn = torch.empty(shape, dtype=into.dtype, device=into.device, memory_format=layout).bernoulli_(p)
        return into.copy_(drawn.index_select(0, self._here.to(into.device)))

    def _batch_norm(
        self,
        images: Tensor,
        running_mean: Tensor | None,
        running_var: Tensor | None,
        weight: Tensor | None = None,
        bias: Tensor | None = None,
        training: bool = False,
        momentum: float = 0.1,
        eps: float = 1e-5,
    ) -> Tensor:
        if not training or processes.count() == 1:
            return F.batch_norm(images, running_mean, running_var, weight, bias, training, momentum, eps)
        normalized, mean, variance, count = _Normalized.apply(images, eps)
        with torch.no_grad():
            if running_mean is not None and running_var is not None:
                running_mean.lerp_(mean.to(running_mean.dtype), momentum)
                running_var.lerp_((variance * count / (count - 1)).to(running_var.dtype), momentum)
        shape = (1, -1) + (1,) * (images.dim() - 2)
        scaled: Tensor = normalized if weight is None else normalized * weight.view(shape)
        return (scaled if bias is None else scaled + bias.view(shape)).to(images.dtype)


class _Normalized(torch.autograd.Function):
    """Zero mean and unit variance of each channel, over the images of all processes; sums travel in float64."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, eps: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        values = images.to(torch.promote_types(images.dtype, torch.float32))
        dims = [0, *range(2, values.dim())]
        variance, mean = torch.var_mean(values, dim=dims, correction=0)
        here = values.numel() // values.shape[1]
        sums = torch.stack([mean.double(), variance.double() + mean.double() ** 2]) * here
        sums = torch.cat([sums.flatten(), sums.new_tensor([here])])
        processes.together().all_reduce(sums)
        count = sums[-1]
        mean, squares = (sums[:-1] / count).view(2, -1)
        variance = (squares - mean**2).clamp_min(0)
        shape = (1, -1) + (1,) * (values.dim() - 2)
        scale = (variance + eps).rsqrt().to(values.dtype).view(shape)
        normalized = (values - mean.to(values.dtype).view(shape)) * scale
        ctx.save_for_backward(normalized, scale, count)
        ctx.mark_non_differentiable(mean, variance, count)
        ctx.dims = dims
        return normalized, mean, variance, count

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, *_: Tensor) -> tuple[Tensor, None]:
        normalized, scale, count = ctx.saved_tensors
        sums = torch.stack([gradient.sum(dim=ctx.dims), (gradient * normalized).sum(dim=ctx.dims)]).double()
        processes.together().all_reduce(sums)
        mean, along = ((sums / count).to(gradient.dtype)).view(2, 1, -1, *(1,) * (gradient.dim() - 2))
        return (gradient - mean - normalized * along) * scale, None
