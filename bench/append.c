/* The limit of a durable record: append 4 KiB and fdatasync, N times. Prints the microseconds of each, one per line. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double microseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

int main(int count, char **arguments) {
    char page[4096];
    int rounds = count == 3 ? atoi(arguments[2]) : 0;
    int file = rounds ? open(arguments[1], O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;
    double *took = file >= 0 ? malloc(rounds * sizeof *took) : NULL;
    if (!took)
        return 1;
    memset(page, 'x', sizeof page);
    for (int n = 0; n < rounds; n++) {
        double start = microseconds();
        if (write(file, page, sizeof page) != sizeof page || fdatasync(file))
            return 1;
        took[n] = microseconds() - start;
    }
    for (int n = 0; n < rounds; n++)
        printf("%.1f\n", took[n]);
    return 0;
}
