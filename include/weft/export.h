/* Attributes of the public interface. */
#ifndef WEFT_EXPORT_H
#define WEFT_EXPORT_H

#if defined(__GNUC__)
#define WEFT_MUST_USE __attribute__((warn_unused_result))
#if defined(__clang__)
#define WEFT_API __attribute__((visibility("default")))
#else
/* Where the library is optimised as one program, these functions stay. */
#define WEFT_API __attribute__((visibility("default"), externally_visible))
#endif
#else
#define WEFT_API
#define WEFT_MUST_USE
#endif

/* Milliseconds without end, for each time-out parameter. */
#define WEFT_FOREVER (-1)

#endif
