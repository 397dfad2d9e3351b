"""The 3D-VLM agent: a language model that reads the instruction and the 3D token memory.

Importing this package registers model and configuration with transformers' Auto classes.
"""

from transformers import AutoConfig, AutoModel, AutoModelForCausalLM

from agents.vlm.config import Dynam3DConfig
from agents.vlm.model import Dynam3DForCausalLM, Dynam3DModel

AutoConfig.register("dynam3d", Dynam3DConfig)
AutoModel.register(Dynam3DConfig, Dynam3DModel)
AutoModelForCausalLM.register(Dynam3DConfig, Dynam3DForCausalLM)

__all__ = ["Dynam3DConfig", "Dynam3DForCausalLM", "Dynam3DModel"]
