// A UDP responder that takes batches with recvmmsg and answers each GetHost
// with the same host: the ceiling for any agent. Only the number is taken from
// the request, as who asks cannot tell answers apart without. It prints its
// ports.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { BATCH = 64, SERVERS = 3, SIZE = 2048, GET_HOST = 4, SEQ = 8, SEQ_SIZE = 6, REQUEST = 18 };

// GetHostResponse of module (1,1) with the host 192.168.1.177:7777 and room for
// a number of five bytes.
static const unsigned char answer[] = {5,  0,  0,  0, 26,  0,   0,   0,   8,   0,   0,   0,   0,   0, 16, 1,   24,
                                       1,  42, 14, 8, 177, 131, 160, 133, 252, 255, 255, 255, 255, 1, 16, 225, 60};

static void *serve(void *arg) {
    int fd = *(int *)arg;
    static _Thread_local unsigned char in[BATCH][SIZE];
    struct mmsghdr rx[BATCH], tx[BATCH];
    static _Thread_local unsigned char out[BATCH][sizeof answer];
    struct iovec rx_iov[BATCH], tx_iov[BATCH];
    struct sockaddr_in from[BATCH];
    for (int i = 0; i < BATCH; i++) {
        memcpy(out[i], answer, sizeof answer);
        tx_iov[i].iov_base = out[i];
        tx_iov[i].iov_len = sizeof answer;
    }
    for (;;) {
        for (int i = 0; i < BATCH; i++) {
            rx_iov[i].iov_base = in[i];
            rx_iov[i].iov_len = SIZE;
            memset(&rx[i], 0, sizeof rx[i]);
            rx[i].msg_hdr.msg_iov = &rx_iov[i];
            rx[i].msg_hdr.msg_iovlen = 1;
            rx[i].msg_hdr.msg_name = &from[i];
            rx[i].msg_hdr.msg_namelen = sizeof from[i];
        }
        int n = recvmmsg(fd, rx, BATCH, MSG_WAITFORONE, NULL);
        int answers = 0;
        for (int i = 0; i < n; i++) {
            if (rx[i].msg_len < REQUEST || in[i][0] != GET_HOST) continue; // reports are not answered
            memcpy(out[answers] + SEQ, in[i] + SEQ, SEQ_SIZE);
            memset(&tx[answers], 0, sizeof tx[answers]);
            tx[answers].msg_hdr.msg_iov = &tx_iov[answers];
            tx[answers].msg_hdr.msg_iovlen = 1;
            tx[answers].msg_hdr.msg_name = &from[i];
            tx[answers].msg_hdr.msg_namelen = sizeof from[i];
            answers++;
        }
        for (int sent = 0; sent < answers;) {
            int m = sendmmsg(fd, tx + sent, answers - sent, 0);
            sent += m > 0 ? m : 1;
        }
    }
    return NULL;
}

int main(void) {
    int fds[SERVERS];
    pthread_t threads[SERVERS];
    for (int i = 0; i < SERVERS; i++) {
        struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t len = sizeof addr;
        int size = 512 << 10; // the agent's
        fds[i] = socket(AF_INET, SOCK_DGRAM, 0);
        if (fds[i] < 0 || bind(fds[i], (struct sockaddr *)&addr, len) < 0 ||
            setsockopt(fds[i], SOL_SOCKET, SO_RCVBUF, &size, sizeof size) < 0 ||
            getsockname(fds[i], (struct sockaddr *)&addr, &len) < 0) {
            perror("responder");
            return 1;
        }
        printf("%d%c", ntohs(addr.sin_port), i == SERVERS - 1 ? '\n' : ' ');
    }
    fflush(stdout);
    for (int i = 0; i < SERVERS; i++) pthread_create(&threads[i], NULL, serve, &fds[i]);
    char byte;
    while (fread(&byte, 1, 1, stdin) == 1) {
    } // until the parent closes it
    return 0;
}
