/* The machine's disk, clock and names as the harness wants them: loaded before the C library into the service and the database. A file of three numbers says
 * by how many microseconds each flush takes longer, by how many the wall clock is wrong, and whether names cannot be resolved. The monotonic clock is left
 * alone, as a clock that is set leaves it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct machine {
    volatile int64_t flush_longer;
    volatile int64_t clock_off;
    volatile int64_t names_gone;
};

static const struct machine *machine(void) {
    static const struct machine *mapped;
    static const struct machine sound = {0, 0, 0};
    if (mapped == NULL) {
        const char *path = getenv("PREMIUM_LEDGER_FAULTS_MACHINE");
        int file = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
        void *at = file < 0 ? MAP_FAILED : mmap(NULL, sizeof(struct machine), PROT_READ, MAP_SHARED, file, 0);
        if (file >= 0) close(file);
        mapped = at == MAP_FAILED ? &sound : at;
    }
    return mapped;
}

static void wait_longer(void) {
    int64_t micros = machine()->flush_longer;
    struct timespec pause = {micros / 1000000, micros % 1000000 * 1000};
    while (micros > 0 && nanosleep(&pause, &pause) != 0) {}
}

int fdatasync(int file) {
    static int (*next)(int);
    if (next == NULL) next = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    wait_longer();
    return next(file);
}

int fsync(int file) {
    static int (*next)(int);
    if (next == NULL) next = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    wait_longer();
    return next(file);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*next)(clockid_t, struct timespec *);
    if (next == NULL) next = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int failed = next(clock, now);
    if (failed == 0 && clock == CLOCK_REALTIME) {
        int64_t off = machine()->clock_off;
        now->tv_sec += off / 1000000;
        now->tv_nsec += off % 1000000 * 1000;
        if (now->tv_nsec >= 1000000000) now->tv_sec += 1, now->tv_nsec -= 1000000000;
        if (now->tv_nsec < 0) now->tv_sec -= 1, now->tv_nsec += 1000000000;
    }
    return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec told;
    (void)zone;
    int failed = clock_gettime(CLOCK_REALTIME, &told);
    now->tv_sec = told.tv_sec;
    now->tv_usec = told.tv_nsec / 1000;
    return failed;
}

time_t time(time_t *now) {
    struct timespec told;
    clock_gettime(CLOCK_REALTIME, &told);
    if (now != NULL) *now = told.tv_sec;
    return told.tv_sec;
}

/* One name, which no server of names knows (RFC 6761), is this machine's. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
    static int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    if (next == NULL) next = (int (*)(const char *, const char *, const struct addrinfo *, struct addrinfo **))dlsym(RTLD_NEXT, "getaddrinfo");
    int ours = name != NULL && strcmp(name, "database.test") == 0;
    if (ours && machine()->names_gone) return EAI_AGAIN;
    return next(ours ? "127.0.0.1" : name, service, hints, found);
}
