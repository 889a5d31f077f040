// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>

#include "agent.h"

// The number after a key of /proc/meminfo, in bytes.
static uint64_t meminfo(const char *text, const char *key) {
  const char *at = strstr(text, key);
  return at == NULL ? 0 : strtoull(at + strlen(key), NULL, 10) * 1024;
}

// User and system time of all processors.
static uint64_t cpu_ns(void) {
  char text[512];
  unsigned long long user, nice, system, idle, iowait, irq, softirq;
  if (read_file("/proc/stat", text, sizeof text) < 0) return 0;
  if (sscanf(text, "cpu %llu %llu %llu %llu %llu %llu %llu", &user, &nice, &system, &idle, &iowait, &irq, &softirq) != 7)
    return 0;
  return (user + nice + system + irq + softirq) * (1000000000u / (unsigned long)sysconf(_SC_CLK_TCK));
}

static size_t put(uint8_t *to, uint16_t tag, uint64_t value, uint32_t size) {
  vxn_put16(to, tag);
  vxn_put16(to + 2, 0);
  vxn_put32(to + 4, size);
  if (size == 8) {
    vxn_put64(to + 8, value);
  } else {
    vxn_put32(to + 8, (uint32_t)value);
  }
  return 8 + size;
}

void stats_send(uint32_t id) {
  char text[4096];
  if (read_file("/proc/meminfo", text, sizeof text) < 0) text[0] = '\0';
  uint32_t pids = 0;
  for (const struct container *c = agent.containers; c != NULL; c = c->next) pids += container_pids(c);
  uint8_t out[5 * 16];
  size_t n = put(out, VXN_T_STAT_UPTIME_NS, boot_ns(), 8);
  n += put(out + n, VXN_T_STAT_MEM_TOTAL, meminfo(text, "MemTotal:"), 8);
  n += put(out + n, VXN_T_STAT_MEM_AVAILABLE, meminfo(text, "MemAvailable:"), 8);
  n += put(out + n, VXN_T_STAT_CPU_NS, cpu_ns(), 8);
  n += put(out + n, VXN_T_STAT_PIDS, pids, 4);
  channel_send(VXN_G_STATS, id, out, n);
}
