# SPDX-License-Identifier: MIT
# Functions that recipes of this layer call. conf/layer.conf makes them known to BitBake.
BBIMPORTS = ["initramfs"]
