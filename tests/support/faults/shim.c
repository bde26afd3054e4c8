/* Makes one system call fail, for a program that is started with LD_PRELOAD=shim.so.
 *
 * FAULTS_UNDER   folders, one a line; calls on anything else are passed on and not counted
 * FAULTS_SPEC    CLASS:N:HOW:ERRNO; the N-th call of the class fails (N = 0: none does)
 *                HOW is once, ever (from the N-th on), short (half of it is written, and from then
 *                on nothing), before or after (SIGKILL then)
 * FAULTS_LOG     a line for each call that counts: "CLASS ERRNO PATH"
 *
 * The variables are taken out of the environment, so that what the program starts is left alone;
 * what it forks is not, and shares the count.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { ONCE, EVER, SHORT, BEFORE, AFTER };

static char under[8][PATH_MAX];
static int folders, number, how, error, log_to = -1, active;
static char class_wanted[16];
static int *count; /* shared with what is forked */

static char log_path[PATH_MAX];

static void log_line(const char *class, int code, const char *path) {
    if (log_to < 0) return;
    char line[PATH_MAX + 64];
    int length = snprintf(line, sizeof line, "%s %d %s\n", class, code, path);
    if (length > (int)sizeof line - 1) length = sizeof line - 1;
    if (syscall(SYS_write, log_to, line, (size_t)length) >= 0) return;
    /* A child that is about to become another program has closed everything. */
    int fd = syscall(SYS_openat, AT_FDCWD, log_path, O_WRONLY | O_APPEND | O_CLOEXEC);
    syscall(SYS_write, fd, line, (size_t)length);
    syscall(SYS_close, fd);
}

static void die(void) {
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;) pause();
}

/* What is to be done with this call: 0 nothing, 1 fail, 2 write half of it, 3 die after it. */
static int fate(const char *class, const char *path) {
    if (strcmp(class, class_wanted) != 0 || number == 0) return 0;
    int nth = __atomic_add_fetch(count, 1, __ATOMIC_SEQ_CST);
    if (nth < number) return 0;
    if (how == SHORT) return nth == number ? 2 : 1;
    if (how == EVER) return 1;
    if (nth > number) return 0;
    if (how == BEFORE || how == AFTER) log_line(class, -1, path);
    if (how == BEFORE) die();
    return how == AFTER ? 3 : 1;
}

static int is_under(const char *path) {
    for (int i = 0; i < folders; i++) {
        size_t length = strlen(under[i]);
        if (strncmp(path, under[i], length) == 0 && (path[length] == '/' || path[length] == 0))
            return 1;
    }
    return 0;
}

/* Make a path absolute; 0 where it cannot be told or does not count. */
static int placed(int at, const char *path, char *out) {
    if (!active || path == NULL) return 0;
    if (path[0] == '/') {
        snprintf(out, PATH_MAX, "%s", path);
    } else {
        char base[PATH_MAX];
        if (at == AT_FDCWD) {
            if (syscall(SYS_getcwd, base, sizeof base) < 0) return 0;
        } else {
            char link[64];
            snprintf(link, sizeof link, "/proc/self/fd/%d", at);
            ssize_t length = readlink(link, base, sizeof base - 1);
            if (length < 0) return 0;
            base[length] = 0;
        }
        if (snprintf(out, PATH_MAX, "%s/%s", base, path) >= PATH_MAX) return 0;
    }
    return is_under(out);
}

/* Tell what a descriptor is: its class of writing, or NULL where it does not count. */
static const char *opened(int fd, const char *class, char *out) {
    if (!active || fd == log_to) return NULL;
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, out, PATH_MAX - 1);
    if (length < 0) return NULL;
    out[length] = 0;
    if (is_under(out) || strncmp(out, "/memfd:", 7) == 0) return class;
    if (fd == 1 && strcmp(class, "write") == 0) return "stdout";
    if (fd == 2 && strcmp(class, "write") == 0) return "stderr";
    return NULL;
}

#define REAL(name) ((__typeof__(&name))real_##name)
#define KEEP(name) static void *real_##name
KEEP(open); KEEP(open64); KEEP(openat); KEEP(openat64); KEEP(opendir); KEEP(memfd_create);
KEEP(read); KEEP(pread64); KEEP(write); KEEP(pwrite64); KEEP(writev); KEEP(ftruncate64);
KEEP(fsync); KEEP(fdatasync); KEEP(rename); KEEP(renameat); KEEP(renameat2); KEEP(link);
KEEP(linkat); KEEP(symlink); KEEP(symlinkat); KEEP(unlink); KEEP(unlinkat); KEEP(rmdir);
KEEP(mkdir); KEEP(mkdirat); KEEP(chmod); KEEP(fchmod); KEEP(fchmodat); KEEP(flock);
KEEP(execve); KEEP(execv); KEEP(posix_spawn); KEEP(posix_spawnp); KEEP(connect); KEEP(send);
KEEP(stat64); KEEP(lstat64); KEEP(fstatat64); KEEP(access); KEEP(faccessat); KEEP(ftruncate);
KEEP(stat); KEEP(lstat); KEEP(fstatat);

void faults_arm(const char *spec, const char *places, const char *log);

static char *taken(const char *name) {
    const char *value = getenv(name);
    char *copy = value ? strdup(value) : NULL;
    unsetenv(name);
    return copy;
}

__attribute__((constructor)) static void begin(void) {
#define FIND(name) real_##name = dlsym(RTLD_NEXT, #name)
    FIND(open); FIND(open64); FIND(openat); FIND(openat64); FIND(opendir); FIND(memfd_create);
    FIND(read); FIND(pread64); FIND(write); FIND(pwrite64); FIND(writev); FIND(ftruncate64);
    FIND(fsync); FIND(fdatasync); FIND(rename); FIND(renameat); FIND(renameat2); FIND(link);
    FIND(linkat); FIND(symlink); FIND(symlinkat); FIND(unlink); FIND(unlinkat); FIND(rmdir);
    FIND(mkdir); FIND(mkdirat); FIND(chmod); FIND(fchmod); FIND(fchmodat); FIND(flock);
    FIND(execve); FIND(execv); FIND(posix_spawn); FIND(posix_spawnp); FIND(connect); FIND(send);
    FIND(stat64); FIND(lstat64); FIND(fstatat64); FIND(access); FIND(faccessat); FIND(ftruncate);
    FIND(stat); FIND(lstat); FIND(fstatat);
    unsetenv("LD_PRELOAD");
    char *spec = taken("FAULTS_SPEC"), *places = taken("FAULTS_UNDER"), *log = taken("FAULTS_LOG");
    if (spec && places) faults_arm(spec, places, log);
}

/* For a process that was forked from one that runs already. */
void faults_arm(const char *spec, const char *places, const char *log) {
    char word[16] = "";
    if (sscanf(spec, "%15[a-z]:%d:%15[a-z]:%d", class_wanted, &number, word, &error) != 4) abort();
    how = !strcmp(word, "once") ? ONCE : !strcmp(word, "ever") ? EVER : !strcmp(word, "short") ? SHORT
        : !strcmp(word, "before") ? BEFORE : AFTER;
    char *list = strdup(places);
    for (char *one = strtok(list, "\n"); one && folders < 8; one = strtok(NULL, "\n"))
        snprintf(under[folders++], PATH_MAX, "%s", one);
    count = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (log) {
        snprintf(log_path, sizeof log_path, "%s", log);
        int fd = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
        log_to = fcntl(fd, F_DUPFD_CLOEXEC, 700);
        syscall(SYS_close, fd);
    }
    active = 1;
}

#define FAIL(class, path) do { log_line(class, error, path); errno = error; return -1; } while (0)
#define DONE(class, path, result, what) do { int kept_ = errno; \
    log_line(class, (result) < 0 ? kept_ : 0, path); if ((what) == 3) die(); \
    errno = kept_; return result; } while (0)

/* A call on a path, and one on a descriptor. */
#define ON_PATH(class, at, path, call) \
    char place_[PATH_MAX]; if (!placed(at, path, place_)) return call; \
    int what_ = fate(class, place_); if (what_ == 1 || what_ == 2) FAIL(class, place_); \
    int result_ = call; DONE(class, place_, result_, what_)
#define ON_FD(class, fd, type, call) \
    char place_[PATH_MAX]; const char *kind_ = opened(fd, class, place_); \
    if (!kind_) return call; \
    int what_ = fate(kind_, place_); if (what_ == 1 || what_ == 2) FAIL(kind_, place_); \
    type result_ = call; DONE(kind_, place_, result_, what_)

#define MODE mode_t mode = 0; if (flags & (O_CREAT | O_TMPFILE)) { \
    va_list more; va_start(more, flags); mode = va_arg(more, mode_t); va_end(more); }
int open(const char *path, int flags, ...) {
    MODE ON_PATH("open", AT_FDCWD, path, REAL(open)(path, flags, mode));
}
int open64(const char *path, int flags, ...) {
    MODE ON_PATH("open", AT_FDCWD, path, REAL(open64)(path, flags, mode));
}
int openat(int at, const char *path, int flags, ...) {
    MODE ON_PATH("open", at, path, REAL(openat)(at, path, flags, mode));
}
int openat64(int at, const char *path, int flags, ...) {
    MODE ON_PATH("open", at, path, REAL(openat64)(at, path, flags, mode));
}
DIR *opendir(const char *path) {
    char place[PATH_MAX];
    if (!placed(AT_FDCWD, path, place)) return REAL(opendir)(path);
    if (fate("open", place)) { log_line("open", error, place); errno = error; return NULL; }
    log_line("open", 0, place);
    return REAL(opendir)(path);
}
int memfd_create(const char *name, unsigned flags) {
    if (active && fate("open", "/memfd:")) FAIL("open", "/memfd:");
    return REAL(memfd_create)(name, flags);
}
ssize_t read(int fd, void *to, size_t length) {
    ON_FD("read", fd, ssize_t, REAL(read)(fd, to, length));
}
ssize_t pread64(int fd, void *to, size_t length, off64_t from) {
    ON_FD("read", fd, ssize_t, REAL(pread64)(fd, to, length, from));
}
ssize_t write(int fd, const void *from, size_t length) {
    char place[PATH_MAX];
    const char *kind = opened(fd, "write", place);
    if (!kind) return REAL(write)(fd, from, length);
    int what = fate(kind, place);
    if (what == 1) FAIL(kind, place);
    ssize_t result = REAL(write)(fd, from, what == 2 && length > 1 ? length / 2 : length);
    DONE(kind, place, result, what);
}
ssize_t pwrite64(int fd, const void *from, size_t length, off64_t at) {
    ON_FD("write", fd, ssize_t, REAL(pwrite64)(fd, from, length, at));
}
ssize_t writev(int fd, const struct iovec *parts, int number_of) {
    ON_FD("write", fd, ssize_t, REAL(writev)(fd, parts, number_of));
}
int ftruncate64(int fd, off64_t length) {
    ON_FD("truncate", fd, int, REAL(ftruncate64)(fd, length));
}
int ftruncate(int fd, off_t length) { ON_FD("truncate", fd, int, REAL(ftruncate)(fd, length)); }
int fsync(int fd) { ON_FD("fsync", fd, int, REAL(fsync)(fd)); }
int fdatasync(int fd) { ON_FD("fsync", fd, int, REAL(fdatasync)(fd)); }
int fchmod(int fd, mode_t mode) { ON_FD("chmod", fd, int, REAL(fchmod)(fd, mode)); }
int flock(int fd, int operation) { ON_FD("lock", fd, int, REAL(flock)(fd, operation)); }
int rename(const char *from, const char *to) {
    ON_PATH("rename", AT_FDCWD, to, REAL(rename)(from, to));
}
int renameat(int at, const char *from, int there, const char *to) {
    ON_PATH("rename", there, to, REAL(renameat)(at, from, there, to));
}
int renameat2(int at, const char *from, int there, const char *to, unsigned flags) {
    ON_PATH("rename", there, to, REAL(renameat2)(at, from, there, to, flags));
}
int link(const char *from, const char *to) {
    ON_PATH("rename", AT_FDCWD, to, REAL(link)(from, to));
}
int linkat(int at, const char *from, int there, const char *to, int flags) {
    ON_PATH("rename", there, to, REAL(linkat)(at, from, there, to, flags));
}
int symlink(const char *from, const char *to) {
    ON_PATH("rename", AT_FDCWD, to, REAL(symlink)(from, to));
}
int symlinkat(const char *from, int there, const char *to) {
    ON_PATH("rename", there, to, REAL(symlinkat)(from, there, to));
}
int unlink(const char *path) { ON_PATH("remove", AT_FDCWD, path, REAL(unlink)(path)); }
int unlinkat(int at, const char *path, int flags) {
    ON_PATH("remove", at, path, REAL(unlinkat)(at, path, flags));
}
int rmdir(const char *path) { ON_PATH("remove", AT_FDCWD, path, REAL(rmdir)(path)); }
int mkdir(const char *path, mode_t mode) {
    ON_PATH("mkdir", AT_FDCWD, path, REAL(mkdir)(path, mode));
}
int mkdirat(int at, const char *path, mode_t mode) {
    ON_PATH("mkdir", at, path, REAL(mkdirat)(at, path, mode));
}
int chmod(const char *path, mode_t mode) {
    ON_PATH("chmod", AT_FDCWD, path, REAL(chmod)(path, mode));
}
int fchmodat(int at, const char *path, mode_t mode, int flags) {
    ON_PATH("chmod", at, path, REAL(fchmodat)(at, path, mode, flags));
}
int stat64(const char *restrict path, struct stat64 *restrict out) {
    ON_PATH("stat", AT_FDCWD, path, REAL(stat64)(path, out));
}
int stat(const char *restrict path, struct stat *restrict out) {
    ON_PATH("stat", AT_FDCWD, path, REAL(stat)(path, out));
}
int lstat(const char *restrict path, struct stat *restrict out) {
    ON_PATH("stat", AT_FDCWD, path, REAL(lstat)(path, out));
}
int fstatat(int at, const char *restrict path, struct stat *restrict out, int flags) {
    ON_PATH("stat", at, path, REAL(fstatat)(at, path, out, flags));
}
int lstat64(const char *restrict path, struct stat64 *restrict out) {
    ON_PATH("stat", AT_FDCWD, path, REAL(lstat64)(path, out));
}
int fstatat64(int at, const char *restrict path, struct stat64 *restrict out, int flags) {
    ON_PATH("stat", at, path, REAL(fstatat64)(at, path, out, flags));
}
int access(const char *path, int mode) {
    ON_PATH("stat", AT_FDCWD, path, REAL(access)(path, mode));
}
int faccessat(int at, const char *path, int mode, int flags) {
    ON_PATH("stat", at, path, REAL(faccessat)(at, path, mode, flags));
}

/* Programs and peers count wherever they are. */
int execve(const char *path, char *const argv[], char *const env[]) {
    if (active && fate("exec", path) == 1) FAIL("exec", path);
    if (active) log_line("exec", 0, path);
    return REAL(execve)(path, argv, env);
}
int execv(const char *path, char *const argv[]) {
    if (active && fate("exec", path) == 1) FAIL("exec", path);
    return REAL(execv)(path, argv);
}
int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *attributes, char *const argv[], char *const env[]) {
    if (active && fate("exec", path) == 1) { log_line("exec", error, path); return error; }
    return REAL(posix_spawn)(pid, path, actions, attributes, argv, env);
}
int posix_spawnp(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                 const posix_spawnattr_t *attributes, char *const argv[], char *const env[]) {
    if (active && fate("exec", path) == 1) { log_line("exec", error, path); return error; }
    return REAL(posix_spawnp)(pid, path, actions, attributes, argv, env);
}
int connect(int fd, const struct sockaddr *to, socklen_t length) {
    if (!active) return REAL(connect)(fd, to, length);
    int what = fate("connect", "peer");
    if (what == 1) FAIL("connect", "peer");
    int result = REAL(connect)(fd, to, length);
    DONE("connect", "peer", result, what);
}
ssize_t send(int fd, const void *from, size_t length, int flags) {
    if (!active) return REAL(send)(fd, from, length, flags);
    int what = fate("send", "peer");
    if (what == 1) FAIL("send", "peer");
    ssize_t result = REAL(send)(fd, from, length, flags);
    DONE("send", "peer", result, what);
}
