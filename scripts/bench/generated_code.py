"""Kernels and bytes of the code that torch.compile generates for CUDA, counted without a GPU.

The pretended device of tests/rehearsal is registered in Inductor with Triton and the properties of an H200. Functions
are compiled on tensors without memory. Compilation ends when the code is written, before Triton compiles it, and
nothing runs. Bytes are those of the entries that each kernel of Inductor's schedule reads and writes, each once.

`install()` changes PyTorch for the rest of the process. It uses internal functions and needs torch 2.14.
"""

from __future__ import annotations

import functools
import logging
import math
import re
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, NamedTuple

import sympy
import torch
from tests.rehearsal.pretended import NAME
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

H200 = SimpleNamespace(
    name="H200",
    type="cuda",
    index=0,
    major=9,
    minor=0,
    total_memory=141 << 30,
    multi_processor_count=132,
    warp_size=32,
    regs_per_multiprocessor=65536,
    max_threads_per_multi_processor=2048,
    max_threads_per_block=1024,
    shared_memory_per_block=49152,
    shared_memory_per_block_optin=232448,
    L2_cache_size=50 << 20,
)
MATRIX_PRODUCT = re.compile(r"\b(?:extern_kernels\.\w+|torch\.ops\.aten\.[\w.]+|aten\.[\w.]+)\(")
TRITON_KERNEL = re.compile(r"\.run\(")


class _WithoutMemory(FakeTensorMode):
    @property
    def avoid_device_init(self) -> bool:
        return True  # computes no constants on the device


FAKE = _WithoutMemory(allow_non_fake_inputs=True)


class Generated(NamedTuple):
    """Kernels and bytes of the code of one function."""

    kernels: int
    num_bytes: int


class _Written(Exception):
    """Raised when the code is written, with its counts."""


class _WithoutGenerators(TorchDispatchMode):
    """Tensors without memory have no random generator."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if kwargs.get("generator") is not None:
            kwargs["generator"] = None
        return func(*args, **kwargs)


@contextmanager
def fake_tensors():
    """Create tensors without memory, which can be given to `generated`."""
    with FAKE, _WithoutGenerators():
        yield


def generated(function: Callable[..., Any], *args: Any, options: dict[str, Any] | None = None) -> Generated:
    """Return the counts of the code for a call of a function, as one graph; `options` of torch.compile."""
    install()
    torch._dynamo.reset()
    written: list[Generated] = []
    _receivers.append(written.append)
    try:
        with FAKE, torch.no_grad():
            torch.compile(function, fullgraph=True, dynamic=False, options=options)(*args)
    except Exception:
        if not written:
            raise
    finally:
        _receivers.pop()
    return written[0]


def _count_bytes(graph: Any) -> int:
    """Return the bytes that the kernels read and write, each entry once.

    Inductor's own count takes the whole tensor for each view and for each broadcast, such as a bias in a row of
    parameters.
    """
    from torch._inductor.scheduler import ExternKernelSchedulerNode

    total = 0
    for node in graph.scheduler.nodes:
        if isinstance(node, ExternKernelSchedulerNode):
            product: Any = node.node
            matrices = (*product.inputs, product)
            total += sum(math.prod(map(int, matrix.get_size())) * matrix.get_dtype().itemsize for matrix in matrices)
        else:
            total += sum(
                _accessed(graph, dep) for deps in (node.read_writes.reads, node.read_writes.writes) for dep in deps
            )
    return total


def _accessed(graph: Any, dep: object) -> int:
    """Return the bytes of the entries of a tensor that a kernel reads or writes; 0 for tensors that it does not store.

    An index is a sum of terms, of which each takes some number of values independently of the others.
    """
    from torch._inductor.dependencies import MemoryDep

    if not isinstance(dep, MemoryDep) or dep.name in graph.removed_buffers or graph.get_buffer(dep.name) is None:
        return 0
    ranges = dict(zip(dep.var_names, map(int, dep.size), strict=True))
    terms = [_num_values(term, ranges) for term in sympy.Add.make_args(sympy.expand(dep.index))]
    buffer = graph.get_buffer(dep.name)
    entries = min(math.prod(terms), math.prod(ranges.values()), math.prod(map(int, buffer.get_size())))
    return entries * buffer.get_dtype().itemsize


def _num_values(term: Any, ranges: dict[Any, int]) -> int:
    """Return the number of values of a term of an index."""
    if term.func.__name__ == "ModularIndexing":
        base, divisor, modulus = term.args
        return min(int(modulus), -(-_num_values(base, ranges) // int(divisor)))
    if term.func.__name__ == "FloorDiv":
        return -(-_num_values(term.args[0], ranges) // int(term.args[1]))
    if term.is_Symbol:
        return ranges.get(term, 1)
    return math.prod(_num_values(part, ranges) for part in term.args)


_receivers: list[Callable[[Generated], None]] = []


@functools.cache
def install() -> None:
    """Register the pretended device in Inductor, and end every compilation when its code is written."""
    import torch._inductor.config as config
    import torch._inductor.fx_passes.fuse_attention as fuse_attention
    import torch.utils._triton as triton
    from torch._dynamo import device_interface
    from torch._inductor import utils
    from torch._inductor.codegen import common
    from torch._inductor.codegen.cuda.device_op_overrides import CUDADeviceOpOverrides
    from torch._inductor.codegen.triton import TritonScheduling
    from torch._inductor.codegen.wrapper import PythonWrapperCodegen
    from torch._inductor.graph import GraphLowering

    properties = {
        "is_available": lambda: True,
        "device_count": lambda: 1,
        "current_device": lambda: 0,
        "get_device_properties": lambda device=None: H200,
        "get_compute_capability": lambda device=None: 90,
        "is_triton_capable": lambda device=None: True,
        "raise_if_triton_unavailable": lambda device=None: None,
        "is_bf16_supported": lambda including_emulation=False: True,
    }
    static = {name: staticmethod(function) for name, function in properties.items()}
    worker = type("Worker", (), static)
    Interface: Any = type("Interface", (device_interface.DeviceInterface,), static | {"Worker": worker})
    for name in (NAME, f"{NAME}:0"):
        device_interface.register_interface_for_device(name, Interface)
    common.init_backend_registration()
    common.register_device_op_overrides(NAME, CUDADeviceOpOverrides())
    common.register_backend_for_device(NAME, TritonScheduling, PythonWrapperCodegen)
    utils.GPU_TYPES.append(NAME)
    config.force_disable_caches = True
    warnings.filterwarnings("ignore", message="dynamo_pgo force disabled")
    config.joint_graph_constant_folding = False  # would compute values
    fuse_attention._sfdp_init = lambda *args, **kwargs: None  # the same
    triton.triton_hash_with_backend = lambda *args: "none"
    logging.getLogger("torch._inductor").setLevel(logging.CRITICAL)  # no template for matrix products
    logging.getLogger("torch._inductor.heuristics.registry").setLevel(logging.CRITICAL)

    def write(graph: Any) -> None:
        code, _ = graph.codegen()
        text = getattr(code, "value", code)
        call = text[text.index("def call(") :]
        kernels = len(TRITON_KERNEL.findall(call)) + len(MATRIX_PRODUCT.findall(call))
        _receivers[-1](Generated(kernels, _count_bytes(graph)))
        raise _Written

    setattr(GraphLowering, "compile_to_module", write)  # noqa: B010
