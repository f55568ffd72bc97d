/* What weft-serve is told on its command line. A plain value; the strings are argv's. */
#ifndef SERVE_OPTIONS_H
#define SERVE_OPTIONS_H

#include "base/alloc.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define SERVE_THREADS_MAX 64

struct serve_options {
    const char *address;
    uint16_t port; /* 0: any that is free */
    bool port_given;
    bool cleartext;
    const char *cert;       /* PEM; NULL: make one */
    const char *key;        /* PEM */
    const char *write_cert; /* where the certificate is written as PEM; NULL: nowhere */
    const char *root;       /* the folder behind /files/; NULL: none */
    uint32_t threads;
    uint32_t max_streams;
    uint32_t window;
    bool quiet;
    bool verbose;
};

enum serve_parsed { SERVE_PARSED_RUN, SERVE_PARSED_DONE, SERVE_PARSED_BAD };

/* Prints help and version to @out (DONE), and what is wrong to @err in one sentence (BAD). */
WF_MUST_USE enum serve_parsed serve_options_parse(int argc, char **argv, FILE *out, FILE *err,
                                                  struct serve_options *out_options);

#endif
