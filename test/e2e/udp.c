// SPDX-License-Identifier: MIT
// udp echo PORT: sends every datagram back. udp ask HOST PORT SIZE COUNT: sends COUNT datagrams, each of its own content, and
// says how many came back unchanged. Static, so that it runs in any container.
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#define MAX 65507

static unsigned char sent[MAX], got[MAX];

static int echo(int s, struct sockaddr_in a) {
  socklen_t len = sizeof a;
  if (bind(s, (struct sockaddr *)&a, sizeof a) < 0) return perror("bind"), 1;
  puts("listening");
  fflush(stdout);
  for (;;) {
    ssize_t n = recvfrom(s, got, sizeof got, 0, (struct sockaddr *)&a, &len);
    if (n >= 0) sendto(s, got, (size_t)n, 0, (struct sockaddr *)&a, len);
  }
}

static int ask(int s, struct sockaddr_in a, size_t size, int count) {
  struct timeval second = {.tv_sec = 2};
  int good = 0;
  setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
  if (size > MAX || connect(s, (struct sockaddr *)&a, sizeof a) < 0) return perror("connect"), 1;
  for (int i = 0; i < count; i++) {
    for (size_t k = 0; k < size; k++) sent[k] = (unsigned char)(k * 31 + (size_t)i * 7);
    if (send(s, sent, size, 0) < 0) perror("send");
    ssize_t n = recv(s, got, sizeof got, 0);
    if (n == (ssize_t)size && memcmp(sent, got, size) == 0) good++;
  }
  printf("%d\n", good);
  return good == count ? 0 : 1;
}

int main(int argc, char **argv) {
  int s = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in a = {.sin_family = AF_INET};
  if (argc == 3 && strcmp(argv[1], "echo") == 0) return a.sin_port = htons((unsigned short)atoi(argv[2])), echo(s, a);
  if (argc != 6 || inet_aton(argv[2], &a.sin_addr) == 0) return fprintf(stderr, "usage: udp echo PORT | ask HOST PORT SIZE COUNT\n"), 2;
  a.sin_port = htons((unsigned short)atoi(argv[3]));
  return ask(s, a, (size_t)atoi(argv[4]), atoi(argv[5]));
}
