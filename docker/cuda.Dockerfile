# noisystudent on NVIDIA's GPUs. The machine needs a driver and the NVIDIA Container Toolkit; CUDA's libraries come with PyTorch.
# Build in the checkout:  docker build -t noisystudent-cuda -f docker/cuda.Dockerfile .
# What it sees:           docker run --rm --gpus all noisystudent-cuda doctor
# A run:                  docker run --rm --gpus all --user "$(id -u):$(id -g)" -v "$PWD":/work noisystudent-cuda run --labeled labeled/ --unlabeled unlabeled/ --out run/
# /work is the folder that it sees and writes to.

FROM docker.io/library/python:3.13-slim

# PyTorch first: it is the largest part, and stays as it is when the code changes.
RUN pip install --no-cache-dir "torch>=2.9" "torchvision>=0.24"

COPY pyproject.toml README.md LICENSE /src/
COPY src /src/src
RUN pip install --no-cache-dir "/src[train,board,export,heic,hf,review,robustness]" && rm -r /src
RUN noisystudent doctor

# Whoever it runs as, what is downloaded once stays in /work, and what is only for now goes elsewhere.
ENV HOME=/work MPLCONFIGDIR=/tmp/matplotlib
WORKDIR /work
EXPOSE 8000
STOPSIGNAL SIGTERM
ENTRYPOINT ["noisystudent"]
CMD ["--help"]
