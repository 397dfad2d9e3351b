"""PPO through stable-baselines3, from an imitation-trained start, with the very same network."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from gymnasium import spaces
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import configure
from stable_baselines3.common.policies import MultiInputActorCriticPolicy
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import Tensor, nn
from tqdm import tqdm

from agents.base import weights_path
from agents.checkpoint import best_device, file_hash, load_policy, save_policy
from agents.closed_loop import Validation, spread
from agents.config import PPOConfig
from agents.critic_state import CRITIC_STATE, NAMES, CriticState
from agents.environments import check_token_dim, make_env
from agents.policy import NavigationPolicy
from agents.sb3_env import SB3VecEnv
from agents.trained import PolicyAgent
from vlnenv.cache import write_atomic
from vlnenv.data import load_dataset
from vlnenv.wrappers import VectorTextToIds


class NavigationFeatures(BaseFeaturesExtractor):
    """The policy's body as SB3's features extractor, and beside its features what the critic is told."""

    def __init__(self, observation_space: spaces.Dict, network: NavigationPolicy) -> None:
        super().__init__(observation_space, features_dim=network.feature_dim + len(NAMES))
        self.network = network

    def forward(self, observations: dict[str, Tensor]) -> Tensor:
        """Features (b, features_dim) of a batch of observations, the critic's state last."""
        return torch.cat([self.network.features(observations), observations[CRITIC_STATE]], dim=-1)


class _Heads(nn.Module):
    """What leads from the features to the action head and, without training them, to the value head.

    The critic is PPO's own and no part of the policy: it also reads what no agent sees.
    """

    def __init__(self, network: NavigationPolicy) -> None:
        super().__init__()
        width = network.config.width
        self.latent_dim_pi = network.feature_dim
        self.latent_dim_vf = width
        inputs = network.feature_dim + len(NAMES)
        self.critic = nn.Sequential(nn.Linear(inputs, width), nn.GELU(), nn.Linear(width, width), nn.GELU())

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        return self.forward_actor(features), self.forward_critic(features)

    def forward_actor(self, features: Tensor) -> Tensor:
        return features[:, : -len(NAMES)]

    def forward_critic(self, features: Tensor) -> Tensor:
        return self.critic(features.detach())


class NavigationActorCritic(MultiInputActorCriticPolicy):
    """SB3's policy class around a `NavigationPolicy`, all of whose weights it uses and trains in place."""

    def __init__(self, *args: Any, network: NavigationPolicy, **kwargs: Any) -> None:
        self._network = [network]  # in a list: the module is registered as the features extractor's
        kwargs |= {
            "features_extractor_class": NavigationFeatures,
            "features_extractor_kwargs": {"network": network},
            "ortho_init": False,
        }
        super().__init__(*args, **kwargs)

    def _build(self, lr_schedule: Callable[[float], float]) -> None:
        super()._build(lr_schedule)
        self.action_net = self._network[0].action_head
        own = {id(parameter) for parameter in self._network[0].parameters()}
        critic = [parameter for parameter in self.parameters() if id(parameter) not in own]
        self.optimizer = self.optimizer_class(
            [{"params": list(self._network[0].parameters())}, {"params": critic}],
            lr=lr_schedule(1),  # type: ignore[call-arg]
            **self.optimizer_kwargs,
        )

    def _build_mlp_extractor(self) -> None:
        self.mlp_extractor = _Heads(self._network[0])  # type: ignore[assignment]

    def set_training_mode(self, mode: bool) -> None:
        """Stay in evaluation mode: dropout would make the ratio of new to old chances noise."""
        self.train(False)


class CriticPPO(PPO):
    """SB3's PPO with a learning rate of the critic's own: it starts from nothing, beside a trained policy."""

    critic_learning_rate = 1e-3

    def _update_learning_rate(self, optimizers: Any) -> None:
        super()._update_learning_rate(optimizers)
        self.policy.optimizer.param_groups[1]["lr"] = self.critic_learning_rate


class _Progress(BaseCallback):
    """Warms up the value, validates in closed loop, keeps the best weights and the training curve."""

    def __init__(
        self,
        config: PPOConfig,
        network: NavigationPolicy,
        evaluate: Callable[[NavigationPolicy], dict[str, float]],
        card: dict[str, Any],
    ) -> None:
        super().__init__()
        self.config = config
        self.network = network
        self.evaluate = evaluate
        self.card = card
        self.iteration = 0
        self.best_success = -1.0
        self.curve: list[dict[str, float]] = []
        self.bar = tqdm(total=config.steps, desc="PPO", unit="step")

    def _on_rollout_start(self) -> None:
        if self.iteration % self.config.eval_every == 0:
            self._validate()
        self.network.requires_grad_(False)
        if self.iteration >= self.config.value_warm_up:
            moved = self.network if self.config.trains == "all" else self.network.action_head
            moved.requires_grad_(True)

    def _on_step(self) -> bool:
        self.bar.update(self.config.num_envs)
        return True

    def _on_rollout_end(self) -> None:
        self.iteration += 1
        ended = list(self.model.ep_info_buffer or [])
        if ended:
            point = {
                "steps": float(self.num_timesteps),
                "return": sum(info["r"] for info in ended) / len(ended),
                "length": sum(info["l"] for info in ended) / len(ended),
                "success": sum(self.model.ep_success_buffer or [])
                / max(1, len(self.model.ep_success_buffer or [])),
            }
            self.curve.append(point)
            self._write_curve()
            self.bar.set_postfix({"return": f"{point['return']:.3f}", "success": f"{point['success']:.3f}"})

    def _on_training_end(self) -> None:
        self._validate()
        self.bar.close()

    def _validate(self) -> None:
        out = Path(self.config.out)
        metrics = self.evaluate(self.network.eval())
        for name, value in metrics.items():
            self.logger.record(f"{self.config.eval_split}/{name}", value)
        named = {f"{self.config.eval_split}/{name}": value for name, value in metrics.items()}
        self.curve.append({"steps": float(self.num_timesteps), **named})
        self._write_curve()
        card = {**self.card, "steps": self.num_timesteps, "figures": metrics}
        if metrics["success"] >= self.best_success:
            self.best_success = metrics["success"]
            save_policy(out / "policy.safetensors", self.network, card)
        save_policy(out / "last.safetensors", self.network, card)

    def _write_curve(self) -> None:
        text = "".join(json.dumps(point, sort_keys=True) + "\n" for point in self.curve)
        write_atomic(Path(self.config.out) / "curve.jsonl", text.encode())


def make_ppo(network: NavigationPolicy, env: SB3VecEnv, config: PPOConfig) -> CriticPPO:
    """SB3's PPO around a network, whose weights it trains in place."""
    model = CriticPPO(
        NavigationActorCritic,
        env,
        policy_kwargs={"network": network},
        learning_rate=config.learning_rate,
        n_steps=config.rollout_steps,
        batch_size=config.batch_size,
        n_epochs=config.epochs,
        gamma=config.gamma,
        gae_lambda=config.gae_lambda,
        clip_range=config.clip,
        ent_coef=config.entropy,
        target_kl=config.target_kl,
        max_grad_norm=0.5,
        seed=config.seed,
        device=best_device(),
        verbose=0,
    )
    model.critic_learning_rate = config.critic_learning_rate
    return model


def train_ppo(
    config: PPOConfig,
    evaluate: Callable[[NavigationPolicy], dict[str, float]] | None = None,
) -> Path:
    """Fine-tune a policy by PPO in the closed loop.

    Args:
        config: Settings; written to `config.out` as `config.json`.
        evaluate: As for `agents.imitation.train_imitation`.

    Returns:
        The best weights, `config.out/policy.safetensors`.

    Raises:
        ValueError: If `config.out` holds a run already.
    """
    torch.set_num_threads(config.threads)
    out = Path(config.out)
    if (out / "curve.jsonl").exists():
        raise ValueError(f"{out} holds a run already: choose another --out, or delete it")
    start = weights_path(config.start)
    network = load_policy(start)
    perception, levels = network.config.perception, network.config.levels
    with ExitStack() as stack:
        env = make_env(
            config.num_envs,
            perception,
            levels,
            dataset=config.dataset,
            split=config.split,
            episodes=_training_episodes(config),
            reward=config.reward,
            max_steps=config.max_steps,
            autoreset_mode="SameStep",
        )
        stack.callback(env.close)
        if evaluate is None:
            validation = stack.enter_context(
                Validation(
                    config.dataset,
                    config.eval_split,
                    perception,
                    levels,
                    config.eval_episodes,
                    config.num_envs,
                )
            )
            evaluate = lambda policy: validation(PolicyAgent(policy))  # noqa: E731
        check_token_dim(network.config.token_dim, env)
        card = {
            "method": "PPO from behaviour cloning",
            "start_sha256": file_hash(start),
            "settings": dataclasses.asdict(config),
            "data_hash": env.unwrapped.batch.dataset.hash,  # type: ignore[attr-defined]
            "perception": dataclasses.asdict(perception),
        }
        write_atomic(out / "config.json", (json.dumps(dataclasses.asdict(config), indent=2) + "\n").encode())
        with_ids = VectorTextToIds(env, network.config.words, network.config.max_words)
        adapted = SB3VecEnv(CriticState(with_ids))
        model = make_ppo(network, adapted, config)
        model.set_logger(configure(str(out / "tensorboard"), ["tensorboard"]))
        model.learn(config.steps, callback=_Progress(config, network, evaluate, card))
    return out / "policy.safetensors"


def _training_episodes(config: PPOConfig) -> list[str] | None:
    """Ids of the episodes to train on; None for the whole split."""
    if config.episodes is None:
        return None
    return spread(load_dataset(config.dataset, config.split).episodes, config.episodes)
