import subprocess
import sys


def test_importing_vlnenv_loads_nothing_heavy():
    code = (
        "import sys, vlnenv; "
        "heavy = {'torch', 'numba', 'trimesh', 'embreex', 'scipy', 'PIL'} & set(sys.modules); "
        "import gymnasium; gymnasium.spec('R2RCE-v0'); "
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_registering_twice_is_harmless():
    import gymnasium as gym

    import vlnenv

    before = gym.spec("R2RCE-v0")
    vlnenv.register_envs()
    assert gym.spec("R2RCE-v0") is before
