// SPDX-License-Identifier: MIT
// The guest channel's frames and records; docs/protocol.md is the specification.
#ifndef VXN_PROTOCOL_H
#define VXN_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VXN_PROTOCOL_VERSION 2u
#define VXN_HEADER_SIZE 12u
#define VXN_PAYLOAD_MAX 65536u
#define VXN_FRAME_MAX (VXN_HEADER_SIZE + VXN_PAYLOAD_MAX)
#define VXN_DESCRIPTION_MAX (4u << 20)
#define VXN_OUTPUT_WINDOW 262144u
#define VXN_STDIN_WINDOW 65536u
#define VXN_CREDIT_MAX (16u << 20)
#define VXN_TEXT_MAX 1024u
#define VXN_FLAG_MORE 1u

/// Types of frames. H: host to guest, G: guest to host, M: requests to the monitor itself and its
/// answers. Bits 8 to 11 are the class, bit 15 marks what a guest or monitor answers.
enum vxn_type {
  VXN_H_HELLO = 0x0001,
  VXN_H_NETWORK = 0x0002,
  VXN_H_STATS = 0x0003,
  VXN_H_PING = 0x0004,
  VXN_H_POWEROFF = 0x0005,
  VXN_H_DNS = 0x0006,

  VXN_H_CONTAINER = 0x0101,
  VXN_H_FILE = 0x0102,
  VXN_H_FILE_DATA = 0x0103,

  VXN_H_PROCESS = 0x0201,
  VXN_H_STDIN = 0x0202,
  VXN_H_STDIN_EOF = 0x0203,
  VXN_H_CREDIT = 0x0204,
  VXN_H_SIGNAL = 0x0205,
  VXN_H_RESIZE = 0x0206,

  VXN_M_KILL = 0x0401,
  VXN_M_STATUS = 0x0402,
  VXN_M_START = 0x0403,
  VXN_M_PAUSED = 0x0404,
  VXN_M_PIDS = 0x0405,
  VXN_M_JOIN = 0x0406,

  VXN_G_HELLO = 0x8001,
  VXN_G_STATS = 0x8003,
  VXN_G_PONG = 0x8004,
  VXN_G_DNS = 0x8006,
  VXN_G_LOG = 0x8007,

  VXN_G_CONTAINER_OK = 0x8101,
  VXN_G_CONTAINER_FAILED = 0x8102,

  VXN_G_STARTED = 0x8201,
  VXN_G_PROCESS_FAILED = 0x8202,
  VXN_G_STDOUT = 0x8203,
  VXN_G_STDERR = 0x8204,
  VXN_G_EOF = 0x8205,
  VXN_G_CREDIT = 0x8206,
  VXN_G_EXIT = 0x8207,

  VXN_M_REFUSED = 0x8400,
  VXN_M_STATUS_REPLY = 0x8402,
  VXN_M_PIDS_REPLY = 0x8405,
};

/// The kind of thing that a frame's id names.
enum vxn_class {
  VXN_CLASS_DOMAIN = 0,
  VXN_CLASS_CONTAINER = 1,
  VXN_CLASS_PROCESS = 2,
  VXN_CLASS_MONITOR = 4,
};

/// Who sends a frame, and by which way.
enum vxn_sender {
  VXN_FROM_HOST,     ///< the monitor, to the agent
  VXN_FROM_GUEST,    ///< the agent, to the monitor
  VXN_FROM_CLIENT,   ///< the runtime or a holder, to the monitor's control socket
  VXN_FROM_MONITOR,  ///< the monitor, to a client of that socket
  VXN_FROM_FIFO,     ///< the runtime, through the monitor's FIFO
  VXN_FROM_FILE,     ///< the runtime, in the start file
};

/// Tags of records. Each payload has a range of its own, named by the upper byte.
enum vxn_tag {
  VXN_T_ROOT_DISK = 0x0101,
  VXN_T_ROOT_READONLY = 0x0102,
  VXN_T_HOSTNAME = 0x0103,
  VXN_T_DOMAINNAME = 0x0104,
  VXN_T_MOUNT = 0x0105,
  VXN_T_MASKED_PATH = 0x0106,
  VXN_T_READONLY_PATH = 0x0107,
  VXN_T_SYSCTL = 0x0108,
  VXN_T_DEVICE = 0x0109,
  VXN_T_ROOT_FSTYPE = 0x010a,
  VXN_T_BIND_SIZE = 0x010b,
  VXN_T_ROOT_PROPAGATION = 0x010c,

  VXN_T_MOUNT_TYPE = 0x0201,
  VXN_T_MOUNT_DEST = 0x0202,
  VXN_T_MOUNT_FLAGS = 0x0203,
  VXN_T_MOUNT_DATA = 0x0204,
  VXN_T_MOUNT_BIND = 0x0205,
  VXN_T_MOUNT_PROPAGATION = 0x0206,

  VXN_T_DEV_PATH = 0x0301,
  VXN_T_DEV_TYPE = 0x0302,
  VXN_T_DEV_MAJOR = 0x0303,
  VXN_T_DEV_MINOR = 0x0304,
  VXN_T_DEV_MODE = 0x0305,
  VXN_T_DEV_UID = 0x0306,
  VXN_T_DEV_GID = 0x0307,

  VXN_T_FILE_PATH = 0x0401,
  VXN_T_FILE_MODE = 0x0402,
  VXN_T_FILE_UID = 0x0403,
  VXN_T_FILE_GID = 0x0404,
  VXN_T_FILE_MTIME = 0x0405,
  VXN_T_FILE_LINK = 0x0406,
  VXN_T_FILE_RDEV = 0x0407,

  VXN_T_CONTAINER_ID = 0x0501,
  VXN_T_INIT = 0x0502,
  VXN_T_ARG = 0x0503,
  VXN_T_ENV = 0x0504,
  VXN_T_CWD = 0x0505,
  VXN_T_UID = 0x0506,
  VXN_T_GID = 0x0507,
  VXN_T_GROUP = 0x0508,
  VXN_T_UMASK = 0x0509,
  VXN_T_RLIMIT = 0x050a,
  VXN_T_CAPS = 0x050b,
  VXN_T_NO_NEW_PRIVILEGES = 0x050c,
  VXN_T_OOM_SCORE_ADJ = 0x050d,
  VXN_T_TERMINAL = 0x050e,
  VXN_T_SECCOMP = 0x050f,
  VXN_T_HOOK = 0x0510,

  VXN_T_HOOK_STAGE = 0x0601,
  VXN_T_HOOK_PATH = 0x0602,
  VXN_T_HOOK_ARG = 0x0603,
  VXN_T_HOOK_ENV = 0x0604,
  VXN_T_HOOK_TIMEOUT = 0x0605,
  VXN_T_HOOK_INPUT = 0x0606,

  VXN_T_LINK = 0x0701,
  VXN_T_OBJECT = 0x0702,
  VXN_T_RESOLVER = 0x0703,

  VXN_T_LINK_NUMBER = 0x0801,
  VXN_T_LINK_NAME = 0x0802,
  VXN_T_LINK_MAC = 0x0803,
  VXN_T_LINK_MTU = 0x0804,
  VXN_T_LINK_FLAGS = 0x0805,
  VXN_T_LINK_SETTING = 0x0806,
  VXN_T_LINK_DHCP = 0x0807,

  VXN_T_STAT_UPTIME_NS = 0x0901,
  VXN_T_STAT_MEM_TOTAL = 0x0902,
  VXN_T_STAT_MEM_AVAILABLE = 0x0903,
  VXN_T_STAT_CPU_NS = 0x0904,
  VXN_T_STAT_PIDS = 0x0905,
  VXN_T_STAT_CPU_USER_NS = 0x0906,
  VXN_T_STAT_CPUS = 0x0907,
  VXN_T_STAT_MEM_CACHED = 0x0908,
  VXN_T_STAT_OOM_KILLS = 0x0909,

  VXN_T_PROFILE_FLAGS = 0x0a01,
  VXN_T_PROFILE_DEFAULT = 0x0a02,
  VXN_T_PROFILE_ARCH = 0x0a03,
  VXN_T_PROFILE_RULE = 0x0a04,
  VXN_T_PROFILE_ACTION = 0x0a05,
  VXN_T_PROFILE_NAME = 0x0a06,
  VXN_T_PROFILE_ARG = 0x0a07,

  VXN_T_JOIN_MODE = 0x0b01,
  VXN_T_JOIN_BRIDGE = 0x0b02,
  VXN_T_JOIN_MAC = 0x0b03,
  VXN_T_JOIN_ADDRESS = 0x0b04,
  VXN_T_JOIN_GATEWAY = 0x0b05,
  VXN_T_JOIN_RESOLVER = 0x0b06,
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

/// The class of a type.
enum vxn_class vxn_class(uint16_t type);

/// True when that sender may send this header at all: a type that it knows, and an id and a length
/// within that type's bounds.
bool vxn_header_ok(enum vxn_sender from, const struct vxn_header *h);

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

/// Reassembles the frames of one sender from chunks of any size in one fixed buffer.
struct vxn_parser {
  enum vxn_sender from;
  size_t have;
  vxn_fault fault;
  uint8_t buf[VXN_FRAME_MAX];
};

void vxn_parser_init(struct vxn_parser *p, enum vxn_sender from);

/// Where the next bytes of the stream go, and how many at most, so that they can be read without
/// another copy.
uint8_t *vxn_parser_room(struct vxn_parser *p, size_t *size);

/// n bytes were put there; calls fn when that completes a frame. Returns the fault, which is
/// sticky.
vxn_fault vxn_parser_took(struct vxn_parser *p, size_t n, vxn_frame_fn fn, void *ctx);

/// Feeds len bytes, calling fn for each frame completed. Returns the fault, which is sticky.
vxn_fault vxn_parser_feed(struct vxn_parser *p, const uint8_t *data, size_t len, vxn_frame_fn fn, void *ctx);

#endif
