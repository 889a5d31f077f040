// SPDX-License-Identifier: MIT
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "text.h"

#define PASSWD_MAX (1u << 20)

// The value of the last KEY= among the process's variables, NULL when there is none.
static const char *env_value(char *const *env, const char *key) {
  size_t len = strlen(key);
  const char *value = NULL;
  for (; *env != NULL; env++)
    if (strncmp(*env, key, len) == 0 && (*env)[len] == '=') value = *env + len + 1;
  return value;
}

// The home directory of a user by the container's /etc/passwd, "/" when it does not say. The file
// may be anything.
static void find_home(uint32_t uid, char *home, size_t size) {
  snprintf(home, size, "/");
  autoclose int fd = open("/etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  struct stat st;
  if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 || st.st_size > PASSWD_MAX) return;
  autofree char *text = calloc(1, (size_t)st.st_size + 1);
  if (text == NULL || read(fd, text, (size_t)st.st_size) < 0) return;
  char *rest = text;
  for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
    char *field[6] = {0};  // name, password, uid, gid, comment, home
    for (int i = 0; i < 6; i++) field[i] = strsep(&line, ":");
    if (field[5] == NULL || field[2][0] == '\0') continue;
    char *end;
    unsigned long long n = strtoull(field[2], &end, 10);
    if (*end != '\0' || n != uid) continue;
    if (field[5][0] == '/') snprintf(home, size, "%s", field[5]);
    return;
  }
}

int program_environment(const struct process_desc *p, char ***env, struct error *e) {
  static char variable[PATH_MAX + sizeof "HOME="];
  const char *home = env_value(p->envp, "HOME");
  *env = p->envp;
  if (home != NULL && home[0] != '\0') return 0;
  memcpy(variable, "HOME=", 5);
  find_home(p->uid, variable + 5, sizeof variable - 5);
  char **list = calloc(p->n_envp + 2, sizeof *list);
  if (list == NULL) return fail(e, ENOMEM, "out of memory");
  size_t n = 0;
  for (size_t i = 0; i < p->n_envp; i++)
    if (strncmp(p->envp[i], "HOME=", 5) != 0) list[n++] = p->envp[i];
  list[n] = variable;
  *env = list;
  return 0;
}

// 0 when the path is a program that may be run, otherwise an errno.
static int check_program(const char *path) {
  struct stat st;
  if (stat(path, &st) < 0) return errno;
  if (S_ISDIR(st.st_mode)) return EISDIR;
  return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

int program_find(const struct process_desc *p, char *path, struct error *e) {
  const char *name = p->argv[0];
  char text[400];
  quote(text, sizeof text, name);
  if (strchr(name, '/') != NULL) {
    int code = check_program(name);
    if (code == EACCES || code == EISDIR) return fail(e, code, "exec: %s: %s", text, errno_text(code));
    if (code != 0) return fail(e, code, "exec: %s: stat %.400s: %s", text, name, errno_text(code));
    if (strlen(name) >= PATH_MAX) return fail(e, ENAMETOOLONG, "exec: %s: %s", text, errno_text(ENAMETOOLONG));
    memcpy(path, name, strlen(name) + 1);
    return 0;
  }
  const char *dirs = env_value(p->envp, "PATH");
  while (dirs != NULL && name[0] != '\0') {
    int len = (int)strcspn(dirs, ":");
    int n = snprintf(path, PATH_MAX, "%.*s%s%s", len, dirs, len == 0 ? "./" : "/", name);
    if (n < PATH_MAX && check_program(path) == 0) return 0;
    dirs = dirs[len] == ':' ? dirs + len + 1 : NULL;
  }
  return fail(e, ENOENT, "exec: %s: executable file not found in $PATH", text);
}
