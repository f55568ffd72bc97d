# Interface targets that every target of the project links, so that no flag is global.
add_library(weft_warnings INTERFACE)
target_compile_options(weft_warnings INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wmissing-prototypes -Wswitch-enum -Wstrict-prototypes
  -Wpointer-arith -Wformat=2 -Wundef $<$<BOOL:${WEFT_WERROR}>:-Werror>)

add_library(weft_sanitize INTERFACE)
if(WEFT_SANITIZE)
  target_compile_options(weft_sanitize INTERFACE
    -fsanitize=${WEFT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(weft_sanitize INTERFACE -fsanitize=${WEFT_SANITIZE})
endif()
if(WEFT_FUZZ)
  # Each fuzz target links -fsanitize=fuzzer itself; the rest is only instrumented.
  target_compile_options(weft_sanitize INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(WEFT_COVERAGE)
  target_compile_options(weft_sanitize INTERFACE --coverage -fprofile-update=atomic)
  target_link_options(weft_sanitize INTERFACE --coverage)
endif()

# What each of our targets is compiled with: C11 without extensions, POSIX and Linux interfaces.
add_library(weft_build INTERFACE)
target_compile_features(weft_build INTERFACE c_std_11)
target_compile_definitions(weft_build INTERFACE _GNU_SOURCE)
target_link_libraries(weft_build INTERFACE weft_warnings weft_sanitize)
