// SPDX-License-Identifier: MIT
// The guest channel's frames and records; docs/protocol.md is the specification.
#ifndef VXN_PROTOCOL_H
#define VXN_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VXN_PROTOCOL_VERSION 1u
#define VXN_HEADER_SIZE 12u
#define VXN_PAYLOAD_MAX 65536u
#define VXN_FRAME_MAX (VXN_HEADER_SIZE + VXN_PAYLOAD_MAX)
#define VXN_DESCRIPTION_MAX (4u << 20)
#define VXN_OUTPUT_WINDOW 262144u
#define VXN_STDIN_WINDOW 65536u
#define VXN_CREDIT_MAX (16u << 20)
#define VXN_TEXT_MAX 1024u
#define VXN_FLAG_MORE 1u

enum vxn_type {
  VXN_H_HELLO = 0x0001,
  VXN_H_CONTAINER = 0x0002,
  VXN_H_PROCESS = 0x0003,
  VXN_H_STDIN = 0x0004,
  VXN_H_STDIN_EOF = 0x0005,
  VXN_H_CREDIT = 0x0006,
  VXN_H_SIGNAL = 0x0007,
  VXN_H_RESIZE = 0x0008,
  VXN_H_FILE = 0x0009,
  VXN_H_FILE_DATA = 0x000a,
  VXN_H_NETWORK = 0x000b,
  VXN_H_STATS = 0x000c,
  VXN_H_PING = 0x000d,
  VXN_H_POWEROFF = 0x000e,
  VXN_H_DNS = 0x000f,
  VXN_C_KILL = 0x0041,
  VXN_C_STATUS = 0x0042,
  VXN_C_START = 0x0043,
  VXN_C_PAUSED = 0x0044,
  VXN_C_PIDS = 0x0045,

  VXN_G_HELLO = 0x8001,
  VXN_G_CONTAINER_OK = 0x8002,
  VXN_G_STARTED = 0x8003,
  VXN_G_FAILED = 0x8004,
  VXN_G_STDOUT = 0x8005,
  VXN_G_STDERR = 0x8006,
  VXN_G_EOF = 0x8007,
  VXN_G_CREDIT = 0x8008,
  VXN_G_EXIT = 0x8009,
  VXN_G_LOG = 0x800a,
  VXN_G_STATS = 0x800b,
  VXN_G_PONG = 0x800c,
  VXN_G_DNS = 0x800d,
  VXN_M_STATUS = 0x8042,
  VXN_M_PIDS = 0x8045,
};

enum vxn_tag {
  VXN_T_ROOT_DISK = 1,
  VXN_T_ROOT_READONLY = 2,
  VXN_T_HOSTNAME = 3,
  VXN_T_DOMAINNAME = 4,
  VXN_T_MOUNT = 5,
  VXN_T_MASKED_PATH = 6,
  VXN_T_READONLY_PATH = 7,
  VXN_T_SYSCTL = 8,
  VXN_T_DEVICE = 9,
  VXN_T_ROOT_FSTYPE = 10,
  VXN_T_BIND_SIZE = 11,
  VXN_T_ROOT_PROPAGATION = 12,

  VXN_T_MOUNT_TYPE = 20,
  VXN_T_MOUNT_DEST = 21,
  VXN_T_MOUNT_FLAGS = 22,
  VXN_T_MOUNT_DATA = 23,
  VXN_T_MOUNT_BIND = 24,
  VXN_T_MOUNT_PROPAGATION = 25,

  VXN_T_DEV_PATH = 30,
  VXN_T_DEV_TYPE = 31,
  VXN_T_DEV_MAJOR = 32,
  VXN_T_DEV_MINOR = 33,
  VXN_T_DEV_MODE = 34,
  VXN_T_DEV_UID = 35,
  VXN_T_DEV_GID = 36,

  VXN_T_FILE_PATH = 40,
  VXN_T_FILE_MODE = 41,
  VXN_T_FILE_UID = 42,
  VXN_T_FILE_GID = 43,
  VXN_T_FILE_MTIME = 44,
  VXN_T_FILE_LINK = 45,
  VXN_T_FILE_RDEV = 46,

  VXN_T_CONTAINER_ID = 60,
  VXN_T_INIT = 61,
  VXN_T_ARG = 62,
  VXN_T_ENV = 63,
  VXN_T_CWD = 64,
  VXN_T_UID = 65,
  VXN_T_GID = 66,
  VXN_T_GROUP = 67,
  VXN_T_UMASK = 68,
  VXN_T_RLIMIT = 69,
  VXN_T_CAPS = 70,
  VXN_T_NO_NEW_PRIVILEGES = 71,
  VXN_T_OOM_SCORE_ADJ = 72,
  VXN_T_TERMINAL = 73,
  VXN_T_SECCOMP = 74,
  VXN_T_HOOK = 75,

  VXN_T_STAT_UPTIME_NS = 80,
  VXN_T_STAT_MEM_TOTAL = 81,
  VXN_T_STAT_MEM_AVAILABLE = 82,
  VXN_T_STAT_CPU_NS = 83,
  VXN_T_STAT_PIDS = 84,
  VXN_T_STAT_CPU_USER_NS = 85,
  VXN_T_STAT_CPUS = 86,
  VXN_T_STAT_MEM_CACHED = 87,
  VXN_T_STAT_OOM_KILLS = 88,

  VXN_T_HOOK_STAGE = 120,
  VXN_T_HOOK_PATH = 121,
  VXN_T_HOOK_ARG = 122,
  VXN_T_HOOK_ENV = 123,
  VXN_T_HOOK_TIMEOUT = 124,
  VXN_T_HOOK_INPUT = 125,

  VXN_T_LINK = 100,
  VXN_T_OBJECT = 101,
  VXN_T_RESOLVER = 102,
  VXN_T_NET_MODE = 103,
  VXN_T_NET_BRIDGE = 104,
  VXN_T_NET_MAC = 105,
  VXN_T_NET_ADDRESS = 106,
  VXN_T_NET_GATEWAY = 107,
  VXN_T_LINK_NUMBER = 110,
  VXN_T_LINK_NAME = 111,
  VXN_T_LINK_MAC = 112,
  VXN_T_LINK_MTU = 113,
  VXN_T_LINK_FLAGS = 114,
  VXN_T_LINK_SETTING = 115,
  VXN_T_LINK_DHCP = 116,
};

// Interface numbers in an OBJECT of NETWORK: 0 names none, 1 lo, then come the links by number.
#define VXN_NET_LO 1u
#define VXN_NET_FIRST 2u

struct vxn_header {
  uint16_t type;
  uint16_t flags;
  uint32_t id;
  uint32_t length;
};

uint16_t vxn_get16(const uint8_t *p);
uint32_t vxn_get32(const uint8_t *p);
uint64_t vxn_get64(const uint8_t *p);
void vxn_put16(uint8_t *p, uint16_t v);
void vxn_put32(uint8_t *p, uint32_t v);
void vxn_put64(uint8_t *p, uint64_t v);

void vxn_put_header(uint8_t out[VXN_HEADER_SIZE], const struct vxn_header *h);

/// Reads 12 bytes. False when the header breaks a rule that holds for every frame (flags, length).
bool vxn_get_header(const uint8_t in[VXN_HEADER_SIZE], struct vxn_header *h);

/// True when a guest may send this header at all: a known type, id and length within that type's
/// bounds.
bool vxn_guest_header_ok(const struct vxn_header *h);

/// A record inside a payload; value points into the payload.
struct vxn_record {
  uint16_t tag;
  uint32_t length;
  const uint8_t *value;
};

/// Takes the next record off *p (*left bytes remain). 1: *r is filled, 0: none left, -1: malformed.
int vxn_next_record(const uint8_t **p, size_t *left, struct vxn_record *r);

/// Why a stream of frames was given up; NULL while it is fine.
typedef const char *vxn_fault;

/// Called for each whole frame. A non-NULL answer ends the stream with that fault.
typedef vxn_fault (*vxn_frame_fn)(void *ctx, const struct vxn_header *h, const uint8_t *payload);

/// Reassembles frames from chunks of any size in one fixed buffer.
struct vxn_parser {
  bool from_guest;
  size_t have;
  vxn_fault fault;
  uint8_t buf[VXN_FRAME_MAX];
};

void vxn_parser_init(struct vxn_parser *p, bool from_guest);

/// Where the next bytes of the stream go, and how many at most, so that they can be read without
/// another copy.
uint8_t *vxn_parser_room(struct vxn_parser *p, size_t *size);

/// n bytes were put there; calls fn when that completes a frame. Returns the fault, which is
/// sticky.
vxn_fault vxn_parser_took(struct vxn_parser *p, size_t n, vxn_frame_fn fn, void *ctx);

/// Feeds len bytes, calling fn for each frame completed. Returns the fault, which is sticky.
vxn_fault vxn_parser_feed(struct vxn_parser *p, const uint8_t *data, size_t len, vxn_frame_fn fn, void *ctx);

#endif
