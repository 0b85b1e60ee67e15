/* A disk that forgets at a loss of power: beside the directory TORTURE_LIVE a second one, TORTURE_KEPT, is kept, which
   holds of each file what it was when it was last synced. Removals and renames are kept at once, with whatever was synced
   by then: a file that is renamed before it is synced is the old one, or none. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *live, *kept;

__attribute__((constructor)) static void begin(void) {
    const char *from = getenv("TORTURE_LIVE"), *to = getenv("TORTURE_KEPT");
    if (from && to) {  /* copies: PostgreSQL writes its title over its environment */
        live = strdup(from);
        kept = strdup(to);
    }
}

/* Where a path of the live directory is kept; 0 for any other path. */
static int mirror(const char *path, char *out) {
    char whole[PATH_MAX], here[PATH_MAX];
    if (!live || !kept) return 0;
    if (*path != '/') {
        if (!getcwd(here, sizeof here)) return 0;
        if (snprintf(whole, sizeof whole, "%s/%s", here, path) >= PATH_MAX) return 0;
        path = whole;
    }
    size_t length = strlen(live);
    if (strncmp(path, live, length) || path[length] != '/') return 0;
    return snprintf(out, PATH_MAX, "%s%s", kept, path + length) < PATH_MAX;
}

static void make_parents(char *path) {
    for (char *slash = path + strlen(kept) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
        *slash = 0;
        mkdir(path, 0700);
    }
}

static void die(const char *what) {
    perror(what);
    abort();
}

static void keep(int file) {
    char link[64], path[PATH_MAX], there[PATH_MAX];
    struct stat status;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return;
    path[length] = 0;
    if (!mirror(path, there) || fstat(file, &status) || stat(path, &status)) return;
    make_parents(there);
    if (S_ISDIR(status.st_mode)) {
        mkdir(there, 0700);
        return;
    }
    int from = open(path, O_RDONLY | O_CLOEXEC), to = open(there, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (from < 0 && errno == ENOENT) return;
    if (from < 0 || to < 0 || flock(to, LOCK_EX)) die(there);
    off_t at = 0;
    ssize_t copied;
    while ((copied = sendfile(to, from, &at, 1 << 24)) > 0) {}
    if (copied < 0 || ftruncate(to, at)) die(there);
    close(to);
    close(from);
}

#define REAL(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))

int fsync(int file) {
    int done = REAL(fsync)(file);
    if (!done) keep(file);
    return done;
}

int fdatasync(int file) {
    int done = REAL(fdatasync)(file);
    if (!done) keep(file);
    return done;
}

int rename(const char *from, const char *to) {
    char kept_from[PATH_MAX], kept_to[PATH_MAX];
    int done = REAL(rename)(from, to);
    if (!done && mirror(from, kept_from) && mirror(to, kept_to) && REAL(rename)(kept_from, kept_to) && errno != ENOENT)
        die(kept_from);
    return done;
}

int unlink(const char *path) {
    char there[PATH_MAX];
    int done = REAL(unlink)(path);
    if (!done && mirror(path, there)) REAL(unlink)(there);
    return done;
}

int rmdir(const char *path) {
    char there[PATH_MAX];
    int done = REAL(rmdir)(path);
    if (!done && mirror(path, there)) REAL(rmdir)(there);
    return done;
}
