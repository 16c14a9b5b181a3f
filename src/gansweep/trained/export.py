"""Files of trained networks that are read without gansweep: safetensors, and programs of torch.export."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import fx, nn

import gansweep
from gansweep.formatting import first_line
from gansweep.trained.options import check_new_file
from gansweep.trained.pair import TrainedPair
from gansweep.training import atomic


def export(pair: TrainedPair, path: Path, player: str = "generator", raw: bool = False) -> str:
    """Write one network of a pair to a new file, and return a description of it.

    - `.safetensors`: the `state_dict`, with the names of `torch.nn`. The metadata holds the definition of the module
      and the origin of the weights, as text.
    - `.pt2`: the program and the weights, for any batch size; `torch.export.load(path).module()` returns a module.

    Args:
        pair: the networks.
        path: the file. Its ending determines the format.
        player: generator or discriminator.
        raw: whether the pair was loaded with raw weights; for the metadata.

    Raises:
        ValueError: the file exists, its ending is another one, or there is no such network.
    """
    check_new_file(path, WRITERS)
    module = getattr(pair, player)
    if module is None:
        raise ValueError(f"--player {player}: {pair.result.cell.name} has only a generator")
    from_latents = player == "generator" and pair.latent_dim
    shape = (pair.latent_dim,) if from_latents else pair.sample_shape
    is_conditional, metadata = pair.labels is not None, _metadata(pair, module, player, raw)
    try:
        content = WRITERS[path.suffix](module, shape, is_conditional, metadata)
    except Exception as error:  # torch.export raises many classes for modules that it can't trace
        what = f"{type(error).__name__}: {first_line(error)}"
        raise ValueError(f"--out {path}: {what}; expected a .safetensors file") from error
    atomic.write(path, content)
    count = sum(parameter.numel() for parameter in module.parameters())
    output = "logits (N, 1)" if player == "discriminator" else f"samples (N, {_text(pair.sample_shape)})"
    inputs = f"({_text(('N', *shape))})" + (", labels (N,)" if is_conditional else "")
    return f"{player} of {pair.result.cell.name}, {count:,} parameters: {inputs} -> {output}"


def definition(module: nn.Module) -> str:
    """Return the text of a module: an `nn.Sequential` as an expression, another one with its forward pass."""
    return f"{module!r}\n{module.code}" if isinstance(module, fx.GraphModule) else repr(module)


def _metadata(pair: TrainedPair, module: nn.Module, player: str, raw: bool) -> dict[str, str]:
    cell = pair.result.cell
    averaged = player == "generator" and pair.config.get("trainer", {}).get("ema") is not None and not raw
    about = {
        "gansweep": gansweep.__version__,
        "cell": cell.name,
        "cell_hash": cell.hash,
        "player": player,
        "step": str(pair.step),
        "weights": "average" if averaged else "trained" if raw else "evaluated",
        "latent_dim": str(pair.latent_dim),
        "sample_shape": json.dumps(pair.sample_shape),
        "definition": definition(module),
        "config": json.dumps(pair.config, default=str),
    }
    return {"format": "pt", **about}


def _safetensors(module: nn.Module, shape: tuple[int, ...], is_conditional: bool, metadata: Mapping[str, str]) -> bytes:
    state = {name: value.detach().contiguous() for name, value in module.state_dict().items()}
    return safetensors.torch.save(state, dict(metadata))


def _program(module: nn.Module, shape: tuple[int, ...], is_conditional: bool, metadata: Mapping[str, str]) -> bytes:
    batch = torch.export.Dim("batch", min=1)
    labels = [torch.zeros(2, dtype=torch.int64)] if is_conditional else []
    inputs = (torch.zeros(2, *shape), *labels)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, on its own attributes
        program: Any = torch.export.export(module, inputs, dynamic_shapes=tuple({0: batch} for _ in inputs))
        file = io.BytesIO()
        torch.export.save(program, file, extra_files={"gansweep.json": json.dumps(metadata)})
    return file.getvalue()


WRITERS: Mapping[str, Callable[[nn.Module, tuple[int, ...], bool, Mapping[str, str]], bytes]] = {
    ".safetensors": _safetensors,
    ".pt2": _program,
}


def _text(shape: tuple[Any, ...]) -> str:
    return ", ".join(map(str, shape))
