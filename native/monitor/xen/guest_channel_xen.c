// SPDX-License-Identifier: MIT
// The channel is a vchan whose server is the guest. path is one of xenstore.
#include "guest_channel.h"

struct vxn_transport *guest_channel_open(uint32_t domid, const char *path) {
  return vxn_transport_vchan_client((int)domid, path);
}
