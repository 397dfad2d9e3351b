"""The 3D-VLM agent: a language model that reads the instruction and the 3D token memory.

Importing this package registers model, configuration and processor with transformers' Auto classes.
"""

from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, AutoProcessor

from agents.vlm.config import Dynam3DConfig
from agents.vlm.model import Dynam3DForCausalLM, Dynam3DModel
from agents.vlm.processor import Dynam3DProcessor

AutoConfig.register("dynam3d", Dynam3DConfig)
AutoModel.register(Dynam3DConfig, Dynam3DModel)
AutoModelForCausalLM.register(Dynam3DConfig, Dynam3DForCausalLM)
AutoProcessor.register(Dynam3DConfig, Dynam3DProcessor)

__all__ = ["Dynam3DConfig", "Dynam3DForCausalLM", "Dynam3DModel", "Dynam3DProcessor"]
