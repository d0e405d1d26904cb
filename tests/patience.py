# SPDX-License-Identifier: Apache-2.0
"""How long a test waits for what never takes so long. Whoever runs the tests where everything is many times slower than
on a common machine, as under an emulated kernel, says how many times in LINNET_SLOWNESS."""
import os

SLOWNESS = float(os.environ.get("LINNET_SLOWNESS", "1"))


def patience(amount):
    """A limit of time as it is here."""
    return amount * SLOWNESS
