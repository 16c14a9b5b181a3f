"""Settings of one small run of each algorithm and of each kind of step."""

from __future__ import annotations

from tests.config.test_every_choice_trains import MLP, SMALL

CFG = [
    *("algorithm=cfg", "model=mlp_cfg", *SMALL["mlp_cfg"], "loss=standard", "algorithm.num_pushes=3"),
    *("algorithm.num_pairs=24", "algorithm.fit_epochs=2"),
]
COOPNETS = [
    *("algorithm=coopnets", "loss=mean_difference", "model=coopnets", "model.width=2", "data.size=28"),
    "algorithm.langevin_steps=3",
]
DENOISING = ["algorithm=denoising", "model=unet", "~loss", "metric=psnr", "model.base_width=2"]
QUADRATIC = ["experiment=forsyth_quadratic", "data.num_samples=8", "metric.num_samples=1"]
ALGORITHMS = {
    "adversarial": MLP,
    "critic steps": [*MLP, "loss=wgan_gp", "critic_steps=5"],
    "batch norm": ["model=dcgan", *SMALL["dcgan"], "trainer.ema=0.9"],
    "spectral norm": ["model=dcgan", *SMALL["dcgan"], "model.spectral_norm=true", "loss=hinge"],
    "torch.optim": [*MLP, "optimizer=radam"],
    "muon": [*MLP, "optimizer=muon"],
    "lookahead": [*MLP, "optimizer=lookahead"],
    "extragradient": [*MLP, "dynamics=extragradient"],
    "competitive": [*MLP, "dynamics=competitive"],
    "gap-aware": [*MLP, "feedback=gap_aware"],
    "cfg": CFG,
    "guarded cfg": [*CFG, "algorithm.guard.enabled=true"],
    "coopnets": COOPNETS,
    "denoising": DENOISING,
    "quadratic": QUADRATIC,
}
