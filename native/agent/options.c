// SPDX-License-Identifier: MIT
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct options options = {.state_dir = "/run/vxn"};

static _Noreturn void usage(int status) {
  fprintf(status == 0 ? stdout : stderr,
          "Usage: vxn-agent                     as the first process of a guest\n"
          "       vxn-agent --once FILE         one container as the program of a guest with another init\n"
          "       vxn-agent --socket FD|PATH --state DIR [--root DIR]    as a test on a host, as root\n"
          "  --once    what the host would say, as frames; FILE and its folder are removed\n"
          "  --socket  the channel: the number of an open descriptor, or a path to listen at for one connection\n"
          "  --state   folder for what containers need (mounts, bind areas)\n"
          "  --root    root of containers that name no disk; ROOT_DISK dir:/PATH works, too\n");
  exit(status);
}

static void parse(int argc, char **argv) {
  static const struct option known[] = {{"socket", required_argument, NULL, 's'},
                                        {"state", required_argument, NULL, 'd'},
                                        {"root", required_argument, NULL, 'r'},
                                        {"once", required_argument, NULL, 'o'},
                                        {"help", no_argument, NULL, 'h'},
                                        {0}};
  const char *state = NULL;
  for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;) {
    switch (c) {
      case 's': options.socket = optarg; break;
      case 'd': state = optarg; break;
      case 'o': options.once = optarg; break;
      case 'r': options.test_root = optarg; break;
      default: usage(c == 'h' ? 0 : 2);
    }
  }
  bool once = options.once != NULL && options.socket == NULL && state == NULL;
  bool test = options.once == NULL && options.socket != NULL && state != NULL;
  if (optind != argc || !(once || test)) usage(2);
  options.state_dir = once ? "/dev/.vxn" : state;
}

void options_read(int argc, char **argv) {
  // The kernel passes words of its command line that it does not know to its first process.
  bool ours = argc >= 2 && (strcmp(argv[1], "--socket") == 0 || strcmp(argv[1], "--once") == 0);
  options.pid1 = getpid() == 1 && !ours;
  if (!options.pid1) parse(argc, argv);
}
