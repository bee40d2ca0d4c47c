/* The limit of an uplink: MQTT 3.1.1, QoS 1, one topic, a window of publishes without PUBACK, and no client library.
   publish PORT COUNT BYTES WINDOW -> publishes a second */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int channel;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static void put(const unsigned char *bytes, size_t count) {
    while (count) {
        ssize_t done = write(channel, bytes, count);
        if (done <= 0) exit(2);
        bytes += done;
        count -= done;
    }
}

int main(int argc, char **argv) {
    if (argc != 5) return 64;
    long count = atol(argv[2]), size = atol(argv[3]), window = atol(argv[4]);
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
    int one = 1;
    inet_pton(AF_INET, "127.0.0.1", &place.sin_addr);
    channel = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(channel, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(channel, (struct sockaddr *)&place, sizeof place)) return 1;
    unsigned char hello[] = {0x10, 15, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, 3, 'r', 'a', 'w'}, acks[4096];
    put(hello, sizeof hello);
    if (read(channel, acks, 4) != 4) return 3;

    const char *topic = "att/v1/school-1/raw/events";
    size_t name = strlen(topic), rest = 2 + name + 2 + size, head = 0;
    unsigned char *packet = malloc(rest + 8);
    packet[head++] = 0x32;
    for (size_t left = rest; ;) {
        unsigned char digit = left % 128;
        left /= 128;
        packet[head++] = left ? digit | 128 : digit;
        if (!left) break;
    }
    packet[head++] = 0;
    packet[head++] = name;
    memcpy(packet + head, topic, name);
    head += name;
    memset(packet + head + 2, 'x', size);
    long sent = 0, bytes = 0;
    double start = now();
    while (bytes / 4 < count) {
        while (sent < count && sent - bytes / 4 < window) {
            uint16_t id = sent++ % 65535 + 1;
            packet[head] = id >> 8;
            packet[head + 1] = id & 255;
            put(packet, head + 2 + size);
        }
        ssize_t got = read(channel, acks, sizeof acks);
        if (got <= 0) return 4;
        bytes += got;
    }
    printf("%.1f\n", count / (now() - start));
    return 0;
}
