"""What PyTorch's operations cost and how autocast treats them on CUDA, for the pretended device.

Counts of kernels are those of PyTorch's CUDA implementation; operations that are not listed launch one kernel.
"""

from __future__ import annotations

import functools
from typing import Any

import torch

# Operations that launch no kernel although they are not views.
NO_KERNEL = {
    *("aten::detach", "aten::alias", "aten::lift_fresh", "aten::empty", "aten::empty_like", "aten::empty_strided"),
    *("aten::new_empty", "aten::new_empty_strided", "aten::_local_scalar_dense", "aten::is_same_size"),
    *("aten::_unsafe_view", "aten::view", "aten::is_pinned", "aten::_has_compatible_shallow_copy_type"),
}

# Operations in which the host waits for the device.
SYNCHRONISE = {
    *("aten::_local_scalar_dense", "aten::nonzero", "aten::equal", "aten::masked_select", "aten::unique_dim"),
    *("aten::_unique", "aten::_unique2", "aten::unique_consecutive", "aten::bincount", "aten::repeat_interleave"),
    *("aten::_linalg_check_errors", "aten::linalg_eig", "aten::linalg_eigvals", "aten::_linalg_eigh"),
    *("aten::_linalg_eigvals", "aten::linalg_lstsq", "aten::is_nonzero", "aten::multinomial", "aten::_linalg_svd"),
    *("aten::histc", "aten::allclose", "aten::nonzero_static"),
}

# Number of kernels of operations that launch several.
KERNELS = {
    "aten::baddbmm": 2,
    "aten::randperm": 5,
    "aten::sort": 4,
    "aten::native_batch_norm": 2,
    "aten::convolution": 2,
    "aten::convolution_backward": 4,
    "aten::index_put": 3,
    "aten::index_put_": 3,
    "aten::slice_backward": 2,
    "aten::select_backward": 2,
    "aten::constant_pad_nd": 2,
}

# Operations that accept index tensors of the CPU.
INDEXING = {"aten::index", "aten::index_put", "aten::index_put_", "aten::_index_put_impl_"}

# Casts of torch.autocast("cuda"), aten/src/ATen/autocast_mode.h.
AUTOCAST_LOWER = [
    "_convolution",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d.input",
    "conv_transpose3d.input",
    "convolution",
    "prelu",
    "addmm",
    "addmv",
    "addr",
    "matmul",
    "mm",
    "mv",
    "linear",
    "addbmm",
    "baddbmm",
    "bmm",
    "chain_matmul",
    "linalg_multi_dot",
    "linalg_vecdot",
    "scaled_dot_product_attention",
]
AUTOCAST_FLOAT32 = [
    "acos",
    "asin",
    "cosh",
    "erfinv",
    "exp",
    "expm1",
    "log",
    "log10",
    "log2",
    "log1p",
    "reciprocal",
    "rsqrt",
    "sinh",
    "tan",
    "pow.Tensor_Scalar",
    "pow.Tensor_Tensor",
    "pow.Scalar",
    "softplus",
    "layer_norm",
    "native_layer_norm",
    "group_norm",
    "frobenius_norm.dim",
    "nuclear_norm",
    "nuclear_norm.dim",
    "cosine_similarity",
    "poisson_nll_loss",
    "cosine_embedding_loss",
    "nll_loss",
    "nll_loss2d",
    "hinge_embedding_loss",
    "kl_div",
    "l1_loss",
    "smooth_l1_loss",
    "huber_loss",
    "mse_loss",
    "margin_ranking_loss",
    "multilabel_margin_loss",
    "soft_margin_loss",
    "triplet_margin_loss",
    "multi_margin_loss",
    "binary_cross_entropy_with_logits",
    "dist",
    "pdist",
    "cdist",
    "renorm",
    "logsumexp",
    "upsample_nearest1d",
    "upsample_nearest2d",
    "upsample_nearest3d",
    "upsample_bilinear2d",
    "_upsample_nearest_exact2d",
    "upsample_bicubic2d",
    "upsample_linear1d",
    "upsample_trilinear3d",
    "prod",
    "prod.dim_int",
    "softmax.int",
    "log_softmax.int",
    "cumprod",
    "cumsum",
    "linalg_vector_norm",
    "linalg_matrix_norm",
    "sum",
    "sum.dim_IntList",
    "norm.Scalar",
    "norm.ScalarOpt_dim",
]
AUTOCAST_WIDEST = [
    "addcdiv",
    "addcmul",
    "atan2",
    "bilinear",
    "cross",
    "dot",
    "vdot",
    "grid_sampler",
    "index_put",
    "tensordot",
    "scatter_add",
]


class Facts:
    """What the schema of an operation says."""

    def __init__(self, func: Any) -> None:
        schema = func._schema
        self.name = schema.name
        self.is_view = any(r.alias_info is not None and not r.alias_info.is_write for r in schema.returns)
        self.written = [
            (n, argument.name, argument.kwarg_only)
            for n, argument in enumerate(schema.arguments)
            if argument.alias_info is not None and argument.alias_info.is_write
        ]
        self.returns_written = [r.alias_info is not None and r.alias_info.is_write for r in schema.returns]
        self.takes_device = any(argument.name == "device" for argument in schema.arguments)
        self.launches = not self.is_view and self.name not in NO_KERNEL
        has_kernel = torch._C._dispatch_has_computed_kernel_for_dispatch_key
        try:  # a CPU build of PyTorch may not know CUDA's kernels
            self.on_cuda = has_kernel(func.name(), "CUDA") or not has_kernel("aten::mm", "CUDA")
        except RuntimeError:
            self.on_cuda = True

    def targets(self, args: Any, kwargs: Any) -> list[Any]:
        """Return the arguments that the operation writes to."""
        return [
            kwargs[name] if keyword_only else args[n]
            for n, name, keyword_only in self.written
            if (name in kwargs if keyword_only else n < len(args))
        ]


facts = functools.lru_cache(None)(Facts)
