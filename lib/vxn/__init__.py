# SPDX-License-Identifier: MIT
# What recipes of this layer call; conf/layer.conf makes it known to BitBake.
BBIMPORTS = ["initramfs"]
