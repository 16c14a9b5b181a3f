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
OF_A_PACKAGE = [
    *("optimizer=torch", "optimizer.name=tests.optimizers.packages.Counting"),
    "allow=[tests.optimizers.packages]",
]
ALGORITHMS = {
    "adversarial": MLP,
    "critic steps": [*MLP, "loss=wgan_gp", "critic_steps=5"],
    "batch norm": ["model=dcgan", *SMALL["dcgan"], "trainer.ema=0.9"],
    "spectral norm": ["model=dcgan", *SMALL["dcgan"], "model.spectral_norm=true", "loss=hinge"],
    "torch.optim": [*MLP, "optimizer=radam"],
    "optimizer of a package": [*MLP, *OF_A_PACKAGE],
    "muon": [*MLP, "optimizer=muon"],
    "soap": [*MLP, "optimizer=soap", "optimizer.every=1"],
    **{name: [*MLP, f"optimizer={name}"] for name in ("shampoo", "adopt", "ademamix", "mars")},
    "lazy penalty": [*MLP, "loss=r1", "loss.penalties.r1.every=2"],
    "clipping": [*MLP, "clip_grad_norm=0.1", "clip_grad_value=0.01"],
    "diffaugment": ["model=dcgan", *SMALL["dcgan"], "augment=diffaugment"],
    "modules": ["model=modules", *SMALL["modules"]],
    "modules, lazy": ["model=modules", *SMALL["modules"], "loss=wgan_gp", "loss.penalties.gp.every=2"],
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
