"""One Go cache for all dashboards of a test run: a cold one costs half a minute for each processor."""

from pathlib import Path

from services.engines.local_files import Files


def go_caches_of(config):
    """A folder that pytest keeps between runs, as Go itself keeps its own."""
    return config.cache.mkdir("go")


def share_go_caches(state_dir, config):
    """The local engine of a dashboard that is to be started on `state_dir` takes the shared cache."""
    own = Files(Path(state_dir) / "local").go_caches
    own.parent.mkdir(parents=True, exist_ok=True)
    own.symlink_to(go_caches_of(config), target_is_directory=True)
