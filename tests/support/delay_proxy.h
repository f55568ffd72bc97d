/* A TCP relay on loopback that makes a long line out of a short one: what it takes arrives a fixed
 * time later, and no faster than a rate. One thread; what is under way is bounded by rate times
 * delay. */
#ifndef TESTS_SUPPORT_DELAY_PROXY_H
#define TESTS_SUPPORT_DELAY_PROXY_H

#include <stdint.h>

struct delay_proxy;

/* @target_port on 127.0.0.1; @one_way_ms each way; @rate in octets a second, each way. */
struct delay_proxy *delay_proxy_new(uint16_t target_port, unsigned one_way_ms, uint64_t rate);
uint16_t delay_proxy_port(const struct delay_proxy *proxy);
void delay_proxy_free(struct delay_proxy *proxy);

#endif
