/* Written by scripts/make-hpack-tables; change that. */
/* clang-format off */
#ifndef WF_H2_HPACK_STATIC_TABLES_H
#define WF_H2_HPACK_STATIC_TABLES_H

#include "h2/hpack_static.h"

/* Name and value of each entry, one after the other, and room to read beyond the last. */
const uint8_t wf_hpack_static_octets[] =
    ":authority"
    ":methodGET"
    ":methodPOST"
    ":path/"
    ":path/index.html"
    ":schemehttp"
    ":schemehttps"
    ":status200"
    ":status204"
    ":status206"
    ":status304"
    ":status400"
    ":status404"
    ":status500"
    "accept-charset"
    "accept-encodinggzip, deflate"
    "accept-language"
    "accept-ranges"
    "accept"
    "access-control-allow-origin"
    "age"
    "allow"
    "authorization"
    "cache-control"
    "content-disposition"
    "content-encoding"
    "content-language"
    "content-length"
    "content-location"
    "content-range"
    "content-type"
    "cookie"
    "date"
    "etag"
    "expect"
    "expires"
    "from"
    "host"
    "if-match"
    "if-modified-since"
    "if-none-match"
    "if-range"
    "if-unmodified-since"
    "last-modified"
    "link"
    "location"
    "max-forwards"
    "proxy-authenticate"
    "proxy-authorization"
    "range"
    "referer"
    "refresh"
    "retry-after"
    "server"
    "set-cookie"
    "strict-transport-security"
    "transfer-encoding"
    "user-agent"
    "vary"
    "via"
    "www-authenticate"
    "                                ";

const struct wf_field_line wf_hpack_static_lines[WF_HPACK_STATIC_COUNT + 1] = {
    {0, 0, 0, 0, 0, 0}, {0, 10, 0, 1, 0, 0}, {10, 7, 3, 2, 0, 0}, {20, 7, 4, 2, 0, 0},
    {31, 5, 1, 4, 0, 0}, {37, 5, 11, 4, 0, 0}, {53, 7, 4, 6, 0, 0}, {64, 7, 5, 6, 0, 0},
    {76, 7, 3, 8, 0, 0}, {86, 7, 3, 8, 0, 0}, {96, 7, 3, 8, 0, 0}, {106, 7, 3, 8, 0, 0},
    {116, 7, 3, 8, 0, 0}, {126, 7, 3, 8, 0, 0}, {136, 7, 3, 8, 0, 0}, {146, 14, 0, 15, 0, 0},
    {160, 15, 13, 16, 0, 0}, {188, 15, 0, 17, 0, 0}, {203, 13, 0, 18, 0, 0}, {216, 6, 0, 19, 0, 0},
    {222, 27, 0, 20, 0, 0}, {249, 3, 0, 21, 0, 0}, {252, 5, 0, 22, 0, 0}, {257, 13, 0, 23, 0, 0},
    {270, 13, 0, 24, 0, 0}, {283, 19, 0, 25, 0, 0}, {302, 16, 0, 26, 0, 0}, {318, 16, 0, 27, 0, 0},
    {334, 14, 0, 28, 0, 0}, {348, 16, 0, 29, 0, 0}, {364, 13, 0, 30, 0, 0}, {377, 12, 0, 31, 0, 0},
    {389, 6, 0, 32, 0, 0}, {395, 4, 0, 33, 0, 0}, {399, 4, 0, 34, 0, 0}, {403, 6, 0, 35, 0, 0},
    {409, 7, 0, 36, 0, 0}, {416, 4, 0, 37, 0, 0}, {420, 4, 0, 38, 0, 0}, {424, 8, 0, 39, 0, 0},
    {432, 17, 0, 40, 0, 0}, {449, 13, 0, 41, 0, 0}, {462, 8, 0, 42, 0, 0}, {470, 19, 0, 43, 0, 0},
    {489, 13, 0, 44, 0, 0}, {502, 4, 0, 45, 0, 0}, {506, 8, 0, 46, 0, 0}, {514, 12, 0, 47, 0, 0},
    {526, 18, 0, 48, 0, 0}, {544, 19, 0, 49, 0, 0}, {563, 5, 0, 50, 0, 0}, {568, 7, 0, 51, 0, 0},
    {575, 7, 0, 52, 0, 0}, {582, 11, 0, 53, 0, 0}, {593, 6, 0, 54, 0, 0}, {599, 10, 0, 55, 0, 0},
    {609, 25, 0, 56, 0, 0}, {634, 17, 0, 57, 0, 0}, {651, 10, 0, 58, 0, 0}, {661, 4, 0, 59, 0, 0},
    {665, 3, 0, 60, 0, 0}, {668, 16, 0, 61, 0, 0},
};

/* A perfect hash of the names: slot (hash * NAME_FACTOR) >> 56 holds the lowest index. */
#define NAME_FACTOR 653u

static const uint8_t name_slots[256] = {
    0, 0, 58, 0, 0, 28, 0, 0, 0, 0, 0, 0, 0, 55, 0, 0,
    25, 16, 0, 18, 51, 0, 59, 0, 0, 0, 0, 0, 0, 56, 0, 0,
    0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 61, 0, 0, 0, 0, 0, 0, 0, 54, 0, 15, 0,
    0, 0, 0, 30, 0, 0, 0, 19, 0, 0, 0, 0, 0, 0, 21, 0,
    0, 0, 22, 0, 0, 0, 0, 0, 0, 0, 0, 0, 49, 0, 0, 0,
    29, 0, 53, 0, 0, 0, 0, 0, 0, 0, 0, 47, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 52, 0, 46, 0,
    0, 0, 0, 32, 0, 40, 38, 0, 0, 34, 0, 27, 0, 33, 0, 0,
    57, 37, 48, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0,
    0, 0, 4, 23, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 60, 0, 17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 26, 0, 31,
    0, 50, 39, 0, 0, 0, 0, 0, 43, 0, 0, 0, 0, 0, 0, 0,
    0, 44, 0, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 35, 0, 41, 0, 36, 42, 0, 0, 0, 0, 0,
    0, 45, 0, 0, 0, 24, 0, 0, 0, 0, 1, 6, 0, 0, 0, 0,
};

#endif
