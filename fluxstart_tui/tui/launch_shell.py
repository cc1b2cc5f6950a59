"""A shell in an instance that a launcher has started without a program of the user's."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from fluxstart_tui.tui import diagnosis
from fluxstart_tui.tui.views.detail import DetailView

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fluxstart_tui.tui.model import Model


def shell(model: Model, environ: Mapping[str, str]) -> DetailView.Launch | None:
    """Return the shell to run, None as long as there is no instance that waits for one.

    On this host it is given the instance's URI; on another one `flux proxy` gets there by ssh.
    """
    up = diagnosis.of(model).up
    if up is None or model.ended or model.replay is not None:
        return None
    uri, host = up
    program = environ.get("SHELL") or "/bin/sh"
    if host == os.uname().nodename:
        return DetailView.Launch("shell", [program], {"FLUX_URI": uri})
    remote = f"ssh://{host}{uri.removeprefix('local://')}"
    return DetailView.Launch(f"shell on {host}", ["flux", "proxy", remote, program], {})
