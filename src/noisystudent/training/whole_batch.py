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
        self._own: dict[Callable[..., Any], Callable[..., Any]] = {
            F.dropout: self._dropout,
            torch.Tensor.bernoulli_: self._bernoulli,
            F.batch_norm: self._batch_norm,
        }

    def __torch_function__(self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return self._own.get(func, func)(*args, **(kwargs or {}))

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
        values = images.to(torch.promote_types(images.dtype, torch.float32))
        weight = values.new_ones(images.shape[1]) if weight is None else weight
        bias = values.new_zeros(images.shape[1]) if bias is None else bias
        normalized, mean, variance, count = _Normalized.apply(values, weight, bias, eps)
        with torch.no_grad():
            if running_mean is not None and running_var is not None:
                running_mean.lerp_(mean.to(running_mean.dtype), momentum)
                running_var.lerp_((variance * count / (count - 1)).to(running_var.dtype), momentum)
        found: Tensor = normalized.to(images.dtype)
        return found


class _Normalized(torch.autograd.Function):
    """BatchNorm by the statistics of the images of all processes, which travel in float64.

    PyTorch's kernels do what is done to each pixel: they normalize by given statistics, forward and backward. What depends on those of the
    whole batch is added to the gradient of the pixels.
    """

    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor, bias: Tensor, eps: float) -> tuple[Tensor, ...]:
        mean, variance = torch.batch_norm_update_stats(images, None, None, 0.0)  # ten times as fast as var_mean
        here = images.numel() // images.shape[1]
        mean, variance = mean.double(), variance.double()
        sums = torch.cat([mean * here, (variance + mean**2) * here, mean.new_tensor([here])])
        processes.together().all_reduce(sums)
        count = sums[-1]
        mean, squares = (sums[:-1] / count).view(2, -1)
        variance = (squares - mean**2).clamp_min(0)
        same = mean.to(images.dtype), variance.to(images.dtype)
        ctx.save_for_backward(images, weight, *same, count)
        ctx.mark_non_differentiable(mean, variance, count)
        ctx.eps = eps
        normalized = F.batch_norm(images, same[0], same[1], weight, bias, False, 0.0, eps)
        return normalized, mean, variance, count

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        images, weight, mean, variance, count = ctx.saved_tensors
        of_images, of_weight, of_bias = torch.ops.aten.native_batch_norm_backward(
            gradient, images, weight, mean, variance, None, None, False, ctx.eps, [True, True, True]
        )
        sums = torch.stack([of_bias, of_weight]).double()  # of the gradient, and of it times the normalized pixels
        processes.together().all_reduce(sums)
        across, along = (sums / count).to(images.dtype)
        scale = (variance + ctx.eps).rsqrt()
        slope = -weight * scale**2 * along
        shape = (1, -1) + (1,) * (images.dim() - 2)
        offset = -slope * mean - weight * scale * across
        return of_images.addcmul_(images, slope.view(shape)).add_(offset.view(shape)), of_weight, of_bias, None
