// SPDX-License-Identifier: MIT
// The channel is a vchan whose server is the guest. path is one of xenstore.
#include "guest_channel.h"

int guest_channel_open(struct vxn_transport *t, uint32_t domid, const char *path) {
  return vxn_transport_vchan_client(t, (int)domid, path);
}
