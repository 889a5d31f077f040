// SPDX-License-Identifier: MIT
// The lab's exec server: runs commands in Dom0 for the host. One TCP connection is one command, one
// process of this server carries it. Frames are: type (1 byte), length (4 bytes, big-endian), payload.
// See lab/frames.ts for the list of them and docs/lab.md for the rules.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { START = 1, STDIN = 2, STDIN_END = 3, SIGNAL = 4 };
enum { HELLO = 15, STARTED = 16, STDOUT = 17, STDERR = 18, CREDIT = 19, STDIN_CLOSED = 20, EXIT = 21, ERROR = 22 };
enum {
	PORT = 7000,
	HEADER = 5,
	TOKEN = 64,
	FRAME_MAX = 4 << 20,   // of the START frame: holds ARG_MAX
	WINDOW = 256 << 10,    // bytes of stdin the client may have on the way
	CHUNK = 64 << 10,
	OUT_HIGH = 512 << 10,  // stop reading the command's output above this
	QUIET_MS = 300,        // a daemon left behind holds the output open: stop waiting after this
	TERM_MS = 3000,        // from SIGTERM to SIGKILL when the client is gone
};

struct buffer {
	uint8_t *data;
	size_t start, end, size;
};

static char token[TOKEN + 1];

static size_t used(const struct buffer *b) { return b->end - b->start; }

static void reserve(struct buffer *b, size_t n)
{
	if (b->start == b->end) b->start = b->end = 0;
	if (b->size - b->end >= n) return;
	memmove(b->data, b->data + b->start, used(b));
	b->end -= b->start;
	b->start = 0;
	if (b->size - b->end >= n) return;
	size_t size = (b->end + n) * 2;
	uint8_t *data = realloc(b->data, size);
	if (!data) _exit(1);
	b->data = data;
	b->size = size;
}

static void append(struct buffer *b, const void *data, size_t n)
{
	reserve(b, n);
	memcpy(b->data + b->end, data, n);
	b->end += n;
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void frame(struct buffer *out, uint8_t type, const void *data, uint32_t n)
{
	uint8_t header[HEADER] = { type, n >> 24, n >> 16, n >> 8, n };
	append(out, header, HEADER);
	append(out, data, n);
}

static void frame_u32(struct buffer *out, uint8_t type, uint32_t value)
{
	uint8_t bytes[4] = { value >> 24, value >> 16, value >> 8, value };
	frame(out, type, bytes, sizeof bytes);
}

static long long now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

// ---- the START frame ----------------------------------------------------------------------------

struct reader {
	const uint8_t *at, *end;
	bool bad;
};

static uint32_t take_u32(struct reader *r)
{
	if (r->end - r->at < 4) {
		r->bad = true;
		return 0;
	}
	r->at += 4;
	return be32(r->at - 4);
}

static char *take_string(struct reader *r)
{
	uint32_t n = take_u32(r);
	if (r->bad || (size_t)(r->end - r->at) < n || memchr(r->at, 0, n)) {
		r->bad = true;
		return NULL;
	}
	r->at += n;
	return strndup((const char *)r->at - n, n);
}

static char **take_strings(struct reader *r)
{
	uint32_t n = take_u32(r);
	if (r->bad || n > (size_t)(r->end - r->at) / 4) {
		r->bad = true;
		return NULL;
	}
	char **list = calloc(n + 1, sizeof *list);
	for (uint32_t i = 0; list && i < n; i++) list[i] = take_string(r);
	if (!list) r->bad = true;
	return list;
}

// Compares in constant time; the port is open to guests on Dom0's bridges too.
static bool token_matches(const char *given)
{
	unsigned difference = strlen(given) ^ TOKEN;
	for (size_t i = 0; i < TOKEN && given[i]; i++) difference |= (unsigned char)given[i] ^ (unsigned char)token[i];
	return difference == 0;
}

// ---- the command --------------------------------------------------------------------------------

struct command {
	pid_t pid;
	int pidfd, in, out, err;
};

static void exec_command(char **argv, char **env, const char *cwd, int in, int out, int err, int report)
{
	const char *what = "run";
	struct sigaction plain = { .sa_handler = SIG_DFL };
	for (int s = 1; s < NSIG; s++) sigaction(s, &plain, NULL);
	setsid();
	umask(022);
	dup2(in, 0);
	dup2(out, 1);
	dup2(err, 2);
	clearenv();
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("HOME", "/root", 1);
	setenv("LANG", "C.UTF-8", 1);
	for (; *env; env++) putenv(*env);
	if (chdir(cwd) < 0) what = "chdir";
	else execvp(argv[0], argv);
	int code = errno;
	dprintf(2, "lab: cannot %s %s: %s\n", what, *what == 'c' ? cwd : argv[0], strerror(code));
	if (write(report, "", 1) < 0) _exit(126);
	_exit(code == ENOENT && *what == 'r' ? 127 : 126);
}

static bool start_command(struct command *c, char **argv, char **env, const char *cwd)
{
	int in[2], out[2], err[2], report[2];
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC) || pipe2(report, O_CLOEXEC)) return false;
	c->pid = fork();
	if (c->pid < 0) return false;
	if (c->pid == 0) exec_command(argv, env, cwd, in[0], out[1], err[1], report[1]);
	close(in[0]), close(out[1]), close(err[1]), close(report[1]);
	// Ends at the exec: from here on the process group exists and can be signalled.
	char byte;
	while (read(report[0], &byte, 1) < 0 && errno == EINTR) {}
	close(report[0]);
	c->in = in[1], c->out = out[0], c->err = err[0];
	fcntl(c->in, F_SETFL, O_NONBLOCK);
	fcntl(c->out, F_SETFL, O_NONBLOCK);
	fcntl(c->err, F_SETFL, O_NONBLOCK);
	c->pidfd = syscall(SYS_pidfd_open, c->pid, 0);
	return c->pidfd >= 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0) close(*fd);
	*fd = -1;
}

// The client went away: end the command's whole process group.
static void end_group(struct command *c)
{
	close_fd(&c->in);
	close_fd(&c->out);
	close_fd(&c->err);
	kill(-c->pid, SIGTERM);
	kill(-c->pid, SIGCONT);
	struct pollfd p = { .fd = c->pidfd, .events = POLLIN };
	poll(&p, 1, TERM_MS);
	kill(-c->pid, SIGKILL); // not yet waited for: the number is still ours
	_exit(0);
}

// ---- the connection -----------------------------------------------------------------------------

struct session {
	int socket;
	struct buffer from, to, input; // from and to the client; stdin on its way to the command
	struct command command;
	bool input_ended, exited;
	uint32_t status;
};

// Sends what is left and waits for the client to hang up, so that nothing is lost to a reset.
static void finish(struct session *s)
{
	fcntl(s->socket, F_SETFL, 0);
	while (used(&s->to) > 0) {
		ssize_t n = send(s->socket, s->to.data + s->to.start, used(&s->to), MSG_NOSIGNAL);
		if (n < 0) _exit(0);
		s->to.start += n;
	}
	shutdown(s->socket, SHUT_WR);
	struct timeval bound = { .tv_sec = 10 };
	setsockopt(s->socket, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
	char rest[4096];
	while (recv(s->socket, rest, sizeof rest, 0) > 0) {}
	_exit(0);
}

static void refuse(struct session *s, const char *why)
{
	frame(&s->to, ERROR, why, strlen(why));
	finish(s);
}

static void start_session(struct session *s, const uint8_t *data, uint32_t length)
{
	struct reader r = { data, data + length, false };
	char *given = take_string(&r);
	if (r.bad || !token_matches(given)) refuse(s, "wrong token: this lab was started anew");
	char **argv = take_strings(&r);
	char **env = take_strings(&r);
	char *cwd = take_string(&r);
	if (r.bad || !argv[0]) refuse(s, "malformed start frame");
	if (!start_command(&s->command, argv, env, cwd)) refuse(s, strerror(errno));
	frame_u32(&s->to, STARTED, s->command.pid);
	frame_u32(&s->to, CREDIT, WINDOW);
}

static void handle_frame(struct session *s, uint8_t type, const uint8_t *data, uint32_t length)
{
	struct command *c = &s->command;
	if (!c->pid) {
		if (type != START) refuse(s, "expected a start frame");
		start_session(s, data, length);
	} else if (type == STDIN && used(&s->input) + length <= WINDOW) {
		if (c->in >= 0) append(&s->input, data, length);
	} else if (type == STDIN_END) {
		s->input_ended = true;
	} else if (type == SIGNAL && length == 1) {
		if (!s->exited) kill(-c->pid, data[0]);
	} else {
		kill(-c->pid, SIGKILL);
		refuse(s, "malformed frame");
	}
}

static void read_socket(struct session *s)
{
	reserve(&s->from, CHUNK);
	ssize_t n = recv(s->socket, s->from.data + s->from.end, s->from.size - s->from.end, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
	if (n <= 0) {
		if (s->command.pid && !s->exited) end_group(&s->command);
		_exit(0);
	}
	s->from.end += n;
	while (used(&s->from) >= HEADER) {
		uint8_t *at = s->from.data + s->from.start;
		uint32_t length = be32(at + 1);
		if (length > FRAME_MAX) refuse(s, "frame too long");
		if (used(&s->from) < HEADER + length) break;
		handle_frame(s, at[0], at + HEADER, length);
		s->from.start += HEADER + length;
	}
}

static void write_socket(struct session *s)
{
	ssize_t n = send(s->socket, s->to.data + s->to.start, used(&s->to), MSG_NOSIGNAL);
	if (n > 0) s->to.start += n;
	else if (n < 0 && errno != EAGAIN && errno != EINTR) {
		if (!s->exited) end_group(&s->command);
		_exit(0);
	}
}

static void write_input(struct session *s)
{
	ssize_t n = write(s->command.in, s->input.data + s->input.start, used(&s->input));
	if (n > 0) {
		s->input.start += n;
		frame_u32(&s->to, CREDIT, n);
	} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
		close_fd(&s->command.in);
		s->input.start = s->input.end;
		frame(&s->to, STDIN_CLOSED, "", 0);
	}
}

// Whether the pipe gave anything.
static bool read_output(struct session *s, int *fd, uint8_t type)
{
	static uint8_t chunk[CHUNK];
	ssize_t n = read(*fd, chunk, sizeof chunk);
	if (n > 0) frame(&s->to, type, chunk, n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR)) close_fd(fd);
	return n > 0;
}

static void reap(struct session *s)
{
	int status = 0;
	waitpid(s->command.pid, &status, 0);
	s->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	s->exited = true;
	close_fd(&s->command.pidfd);
	close_fd(&s->command.in);
	s->input.start = s->input.end;
}

static void serve(int socket)
{
	struct session session = { .socket = socket, .command = { .pidfd = -1, .in = -1, .out = -1, .err = -1 } };
	struct session *s = &session;
	struct command *c = &s->command;
	long long quiet_since = 0;
	int on = 1;
	setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	fcntl(socket, F_SETFL, O_NONBLOCK);
	frame(&s->to, HELLO, "", 0); // the client may start now; before, it may safely try again
	for (;;) {
		bool room = used(&s->to) < OUT_HIGH;
		if (s->input_ended && used(&s->input) == 0) close_fd(&c->in);
		if (s->exited && c->out < 0 && c->err < 0) break;
		if (!room) quiet_since = now_ms(); // the client is slow, the command is not quiet
		int timeout = -1;
		if (s->exited) {
			long long left = quiet_since + QUIET_MS - now_ms();
			if (left <= 0) break;
			timeout = left;
		}
		struct pollfd p[5] = {
			{ .fd = s->socket, .events = POLLIN | (used(&s->to) ? POLLOUT : 0) },
			{ .fd = used(&s->input) ? c->in : -1, .events = POLLOUT },
			{ .fd = room ? c->out : -1, .events = POLLIN },
			{ .fd = room ? c->err : -1, .events = POLLIN },
			{ .fd = c->pidfd, .events = POLLIN },
		};
		if (poll(p, 5, timeout) < 0) continue;
		if (p[2].revents && read_output(s, &c->out, STDOUT)) quiet_since = now_ms();
		if (p[3].revents && read_output(s, &c->err, STDERR)) quiet_since = now_ms();
		if (p[1].revents) write_input(s);
		if (p[4].revents) {
			reap(s);
			quiet_since = now_ms();
		}
		if (p[0].revents & ~POLLOUT) read_socket(s);
		if (p[0].revents & POLLOUT) write_socket(s);
	}
	frame_u32(&s->to, EXIT, s->status);
	finish(s);
}

int main(void)
{
	FILE *file = fopen("/etc/lab/token", "re");
	if (!file || fread(token, 1, TOKEN, file) != TOKEN) {
		fprintf(stderr, "lab: no /etc/lab/token\n");
		return 1;
	}
	fclose(file);
	int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 256)) {
		perror("lab: exec server");
		return 1;
	}
	signal(SIGCHLD, SIG_IGN); // the kernel reaps the sessions
	signal(SIGPIPE, SIG_IGN);
	printf("lab: exec server ready\n");
	fflush(stdout);
	for (;;) {
		int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (client < 0) continue;
		pid_t pid = fork();
		if (pid == 0) {
			signal(SIGCHLD, SIG_DFL);
			close(listener);
			serve(client);
		}
		close(client);
	}
}
