"""A CUDA device without a GPU: `pretended:0`, whose tensors hold CPU tensors and compute real numbers.

Above PyTorch's dispatcher everything is PyTorch's own: autograd, double backward, functorch, version counters, argument
parsing. Below it, `run` computes on the CPU and checks and counts what matters on CUDA:

    refused   tensors of two devices in one operation (except CPU scalars and index tensors), operations without a
              CUDA kernel, generator states that are not on the CPU
    counted   kernels, host synchronisations and uploads with their source line, floating-point operations and bytes
              of memory traffic, bytes of live tensors
    cast      under autocast, as CUDA does

Not covered: `device.type == "cuda"` is False; data types that only a CUDA kernel refuses; cuDNN, cuBLAS, the
fragmentation of the caching allocator; torch.compile.

`installation.install()` changes PyTorch for the rest of the process.
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any

import torch
from tests.rehearsal.device_memory import MEMORY, extent
from tests.rehearsal.operations import INDEXING, KERNELS, SYNCHRONISE, Facts, facts
from torch.utils import _pytree as pytree
from torch.utils import backend_registration as registration
from torch.utils._mode_utils import no_dispatch
from torch.utils._python_dispatch import TorchDispatchMode

NAME = "pretended"
DEVICE_TYPES = (NAME, "cuda")
OWN = ("/tests/rehearsal/pretended.py", "/tests/rehearsal/installation.py")  # not reported as the source of a call
SUPPORTED = hasattr(registration, "_setup_privateuseone_for_python_backend")
aten: Any = torch.ops.aten


class MixedDevices(RuntimeError):
    """Tensors of different devices in one operation."""


class NoKernel(NotImplementedError):
    """An operation without a CUDA kernel."""


class PretendedTensor(torch.Tensor):
    """Tensor of the pretended device; `inner` holds its values on the CPU, or none on `meta`."""

    inner: torch.Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, inner: torch.Tensor) -> PretendedTensor:
        made = torch.Tensor._make_wrapper_subclass(
            cls,
            inner.shape,
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            layout=inner.layout,
            device=torch.device(NAME, 0),
            requires_grad=False,
        )
        made.inner = inner
        MEMORY.add(made, inner)
        return made

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return run(func, args, kwargs or {})

    def tolist(self) -> Any:
        return self.detach().cpu().tolist()

    def numpy(self, *, force: bool = False) -> Any:
        if not force:
            raise TypeError(f"can't convert {NAME}:0 device type tensor to numpy. Use Tensor.cpu() first")
        return self.detach().cpu().numpy()

    def __array__(self, dtype=None, copy=None):
        return self.numpy()

    def __repr__(self, **_):
        return f"PretendedTensor({self.inner!r})"


class PretendedDevice(TorchDispatchMode):
    """Context that counts the operations of the pretended device, and in which factories may create tensors on it.

    Args:
        inner: "cpu" to compute, "meta" to count without memory and time; then all values are meaningless.
        float64: False refuses float64 tensors, as MPS does.
    """

    active: PretendedDevice | None = None

    def __init__(self, *, inner: str = "cpu", float64: bool = True) -> None:
        super().__init__()
        self.inner, self.float64 = inner, float64
        self.reset()

    def reset(self) -> None:
        """Set all counts to zero."""
        self.kernels = self.flops = self.traffic_bytes = self.upload_bytes = 0
        self.operations: Counter[str] = Counter()
        self.traffic: Counter[str] = Counter()  # bytes by operation
        self.waits: Counter[str] = Counter()  # host synchronisations by operation and source line
        self.uploads: Counter[str] = Counter()

    def __enter__(self):
        PretendedDevice.active = self
        self._lift = torch._C._only_lift_cpu_tensors()
        torch._C._set_only_lift_cpu_tensors(True)  # torch.tensor(list, device=...) passes through the mode
        return super().__enter__()

    def __exit__(self, *error):
        PretendedDevice.active = None
        torch._C._set_only_lift_cpu_tensors(self._lift)
        return super().__exit__(*error)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return run(func, args, kwargs or {})

    def launched(self, name: str) -> None:
        """Count the kernels of one operation."""
        self.operations[name] += 1
        self.kernels += KERNELS.get(name, 1)

    def moved(self, name: str, args: Any, inputs: list[torch.Tensor], outputs: list[torch.Tensor]) -> None:
        """Count the bytes that an operation reads and writes, each once, and the FLOP of matrix products."""
        moved = sum(map(extent, inputs)) + sum(map(extent, outputs))
        if name == "aten::index":  # only the selected rows are read
            moved += extent(outputs[0]) - extent(args[0])
        self.traffic_bytes += moved
        self.traffic[name] += moved
        factors = {"aten::bmm": 0, "aten::mm": 0, "aten::baddbmm": 1, "aten::addmm": 1}
        if name in factors:
            first, second = args[factors[name]], args[factors[name] + 1]
            self.flops += 2 * first.numel() * second.shape[-1]

    def waited(self, name: str) -> None:
        """Count a host synchronisation."""
        self.waits[f"{name} at {_source_lines()}"] += 1

    def copied(self, name: str, tensor: torch.Tensor, *, to_host: bool, non_blocking: bool) -> None:
        """Count a copy between host and device."""
        if to_host and not non_blocking:
            self.waited(f"{name} device to host")
        elif not to_host:
            self.uploads[f"{name} at {_source_lines()}"] += 1
            self.upload_bytes += tensor.numel() * tensor.element_size()


def run(func: Any, args: Any, kwargs: Any) -> Any:
    """Run an operation: unwrap its tensors, compute on the CPU, wrap the results, check and count."""
    known, device = facts(func), PretendedDevice.active
    inputs = tensors_in(args, kwargs)
    target = kwargs.get("device") if known.takes_device else None
    if not any(isinstance(tensor, PretendedTensor) for tensor in inputs) and not is_pretended(target):
        return func(*args, **kwargs)
    if known.name == "aten::_efficientzerotensor":  # zeros without memory can't be wrapped
        return PretendedTensor(torch.zeros(args[0], dtype=kwargs.get("dtype"), device=_inner_device()))
    if known.name == "aten::_to_copy":
        return _to_copy(func, args, kwargs)
    if known.name in ("aten::copy_", "aten::_copy_from", "aten::_copy_from_and_resize"):
        return _copy(known.name, args, kwargs)
    _check_devices(func, known.name, args, inputs)
    if known.name == "aten::_local_scalar_dense":
        if device is not None:
            device.waited(known.name)
        return 0.0 if _inner_device() == "meta" else unwrap(args[0]).item()
    if device is not None:
        if not known.on_cuda:
            raise NoKernel(f"{func.name()} has no CUDA kernel, at {_source_lines()}")
        if known.name in SYNCHRONISE or (known.name in INDEXING and _has_mask(args[1])):
            device.waited(known.name)
        if known.launches:
            device.launched(known.name)
    results = _compute(func, known, args, kwargs, target)
    if device is not None and known.launches:
        outputs = [leaf for leaf in pytree.tree_leaves(results) if isinstance(leaf, torch.Tensor)]
        device.moved(known.name, args, inputs, outputs)
    return results


def _compute(func: Any, known: Facts, args: Any, kwargs: Any, target: Any) -> Any:
    inner_args, inner_kwargs = pytree.tree_map(unwrap, (list(args), dict(kwargs)))
    if is_pretended(target):
        inner_kwargs["device"] = _inner_device()
    if _inner_device() == "meta" and inner_kwargs.get("generator") is not None:
        inner_kwargs["generator"] = None
    result = func(*inner_args, **inner_kwargs)
    if torch.Tag.inplace_view in func.tags:  # t_, squeeze_: the shape of the wrapper has to follow
        with no_dispatch():
            func(*args, **kwargs)
        return args[0]
    if known.written and any(known.returns_written):
        results = list(result) if isinstance(result, (tuple, list)) else [result]
        targets = iter(known.targets(args, kwargs))
        pairs = zip(known.returns_written, results, strict=False)
        results = [next(targets) if written else wrap(value) for written, value in pairs]
        return type(result)(results) if isinstance(result, (tuple, list)) else results[0]
    if known.written or (target is not None and not is_pretended(target)):
        return result
    return pytree.tree_map(wrap, result)


def _to_copy(func: Any, args: Any, kwargs: Any) -> Any:
    source, kwargs = args[0], dict(kwargs)
    target, was_pretended = kwargs.pop("device", None), isinstance(source, PretendedTensor)
    pretended = was_pretended if target is None else is_pretended(target)
    non_blocking = kwargs.pop("non_blocking", False)
    kwargs.pop("pin_memory", None)
    inner = unwrap(source)
    if _inner_device() == "meta" and was_pretended != pretended:
        place = "meta" if pretended else "cpu"
        made = torch.empty_like(inner, device=place, dtype=kwargs.get("dtype") or inner.dtype)
    else:
        made = func(inner, **kwargs)
    device = PretendedDevice.active
    if device is not None and was_pretended != pretended:
        device.copied("aten::_to_copy", inner, to_host=was_pretended, non_blocking=non_blocking)
    elif device is not None and was_pretended:
        device.launched("aten::_to_copy")
    return wrap(made) if pretended else made


def _copy(name: str, args: Any, kwargs: Any) -> Any:
    target, source, device = args[0], args[1], PretendedDevice.active
    between = isinstance(target, PretendedTensor) != isinstance(source, PretendedTensor)
    non_blocking = bool(args[2] if len(args) > 2 else kwargs.get("non_blocking", False))
    if device is not None and between:
        device.copied(name, source, to_host=isinstance(source, PretendedTensor), non_blocking=non_blocking)
    elif device is not None:
        device.launched(name)
    if not between or _inner_device() != "meta":
        unwrap(target).copy_(unwrap(source))
    return target


def _check_devices(func: Any, name: str, args: Any, inputs: list[torch.Tensor]) -> None:
    """Refuse CPU tensors, except scalars and index tensors, which CUDA accepts too."""
    on_cpu = [tensor for tensor in inputs if not isinstance(tensor, PretendedTensor)]
    if all(tensor.ndim == 0 for tensor in on_cpu):
        return
    if name in INDEXING and isinstance(args[0], PretendedTensor):
        values = [value for value in args[2:3] if isinstance(value, torch.Tensor)]
        if all(isinstance(value, PretendedTensor) or value.ndim == 0 for value in values):
            if PretendedDevice.active is not None:
                PretendedDevice.active.copied(name, on_cpu[0], to_host=False, non_blocking=False)
            return
    shapes = ", ".join(
        f"{NAME if isinstance(tensor, PretendedTensor) else 'cpu'}{tuple(tensor.shape)}" for tensor in inputs
    )
    raise MixedDevices(f"{func.name()}: expected all tensors on the same device, but got {shapes}")


def _has_mask(indices: Any) -> bool:
    return any(isinstance(index, torch.Tensor) and index.dtype in (torch.bool, torch.uint8) for index in indices)


def tensors_in(*trees: Any) -> list[torch.Tensor]:
    return [leaf for leaf in pytree.tree_leaves(trees) if isinstance(leaf, torch.Tensor)]


def is_pretended(device: Any) -> bool:
    return device is not None and torch.device(device).type == NAME


def _inner_device() -> str:
    return "cpu" if PretendedDevice.active is None else PretendedDevice.active.inner


def unwrap(value: Any) -> Any:
    return value.inner if isinstance(value, PretendedTensor) else value


def wrap(value: Any) -> Any:
    if not isinstance(value, torch.Tensor) or isinstance(value, PretendedTensor):
        return value
    device = PretendedDevice.active
    if device is not None and not device.float64 and value.dtype == torch.float64:
        raise TypeError(f"this device has no float64, at {_source_lines()}")
    return PretendedTensor(value)


def _source_lines(depth: int = 3) -> str:
    """Return file and line of the innermost calls in gansweep or its tests."""
    frame, found = sys._getframe(2), []
    while frame is not None and len(found) < depth:
        file = frame.f_code.co_filename
        if not file.endswith(OWN) and ("/src/gansweep/" in file or "/tests/" in file):
            found.append(f"{file.rpartition('/src/gansweep/')[2].rpartition('/tests/')[2]}:{frame.f_lineno}")
        frame = frame.f_back
    return " < ".join(found) or "the backward pass"
