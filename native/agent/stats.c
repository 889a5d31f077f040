// SPDX-License-Identifier: MIT
#include "stats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "container.h"
#include "file.h"
#include "send.h"

// The number after a key of /proc/meminfo, in bytes.
static uint64_t meminfo(const char *text, const char *key) {
  const char *at = strstr(text, key);
  return at == NULL ? 0 : strtoull(at + strlen(key), NULL, 10) * 1024;
}

// The number after a key at the beginning of a line of /proc/vmstat.
static uint64_t vmstat(const char *text, const char *key) {
  const char *at = strstr(text, key);
  return at == NULL ? 0 : strtoull(at + strlen(key), NULL, 10);
}

struct cpu_time {
  uint64_t user_ns, system_ns;
  uint32_t online;
};

// User and system time of all processors, and how many there are: each has a line of its own while
// it is online.
static struct cpu_time cpu_time(void) {
  char text[16384];
  unsigned long long user, nice, system, idle, iowait, irq, softirq;
  struct cpu_time t = {0};
  if (read_file("/proc/stat", text, sizeof text) < 0) return t;
  if (sscanf(text, "cpu %llu %llu %llu %llu %llu %llu %llu", &user, &nice, &system, &idle, &iowait, &irq, &softirq) != 7)
    return t;
  unsigned tick_ns = 1000000000u / (unsigned)sysconf(_SC_CLK_TCK);
  t.user_ns = (user + nice) * tick_ns;
  t.system_ns = (system + irq + softirq) * tick_ns;
  for (const char *line = text; (line = strstr(line, "\ncpu")) != NULL; line++) t.online++;
  return t;
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
  char memory[4096], vm[16384];
  if (read_file("/proc/meminfo", memory, sizeof memory) < 0) memory[0] = '\0';
  if (read_file("/proc/vmstat", vm, sizeof vm) < 0) vm[0] = '\0';
  struct cpu_time cpu = cpu_time();
  uint8_t out[9 * 16];
  size_t n = put(out, VXN_T_STAT_UPTIME_NS, boot_ns(), 8);
  n += put(out + n, VXN_T_STAT_MEM_TOTAL, meminfo(memory, "MemTotal:"), 8);
  n += put(out + n, VXN_T_STAT_MEM_AVAILABLE, meminfo(memory, "MemAvailable:"), 8);
  n += put(out + n, VXN_T_STAT_CPU_NS, cpu.user_ns + cpu.system_ns, 8);
  n += put(out + n, VXN_T_STAT_PIDS, containers_pids(), 4);
  n += put(out + n, VXN_T_STAT_CPU_USER_NS, cpu.user_ns, 8);
  n += put(out + n, VXN_T_STAT_CPUS, cpu.online, 4);
  n += put(out + n, VXN_T_STAT_MEM_CACHED, meminfo(memory, "\nCached:"), 8);
  n += put(out + n, VXN_T_STAT_OOM_KILLS, vmstat(vm, "\noom_kill "), 8);
  send_frame(VXN_G_STATS, id, out, n);
}
