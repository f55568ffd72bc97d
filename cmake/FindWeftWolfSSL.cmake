# Finds wolfSSL, says what it can do, and makes the target weft::wolfssl.
#
#   WEFT_WOLFSSL = auto     the private build of scripts/setup if there is one, else the system's
#                  system   the system's, even when there is a private one
#                  <path>   the build installed there, and no other
#
# The private build is looked for in $WEFT_WOLFSSL_PREFIX (environment), then in /opt/weft-wolfssl.
# Sets WeftWolfSSL_PREFIX (empty for the system's), _VERSION, _AES_ASSEMBLY and _CERT_GEN.

set(WEFT_WOLFSSL "auto" CACHE STRING "wolfSSL to use: auto, system, or the prefix of one")

set(WeftWolfSSL_PREFIX "")
if(WEFT_WOLFSSL STREQUAL "auto")
  foreach(_prefix "$ENV{WEFT_WOLFSSL_PREFIX}" "/opt/weft-wolfssl")
    if(_prefix AND NOT WeftWolfSSL_PREFIX AND EXISTS "${_prefix}/include/wolfssl/options.h")
      set(WeftWolfSSL_PREFIX "${_prefix}")
    endif()
  endforeach()
elseif(NOT WEFT_WOLFSSL STREQUAL "system")
  set(WeftWolfSSL_PREFIX "${WEFT_WOLFSSL}")
endif()

# A changed choice must not be answered from the cache of the one before.
if(NOT "${WeftWolfSSL_PREFIX}" STREQUAL "${WeftWolfSSL_CHOSEN_PREFIX}")
  unset(WeftWolfSSL_INCLUDE_DIR CACHE)
  unset(WeftWolfSSL_LIBRARY CACHE)
endif()
set(WeftWolfSSL_CHOSEN_PREFIX "${WeftWolfSSL_PREFIX}" CACHE INTERNAL "")

if(WeftWolfSSL_PREFIX)
  find_path(WeftWolfSSL_INCLUDE_DIR wolfssl/options.h
    PATHS "${WeftWolfSSL_PREFIX}/include" NO_DEFAULT_PATH)
  find_library(WeftWolfSSL_LIBRARY NAMES libwolfssl.a wolfssl
    PATHS "${WeftWolfSSL_PREFIX}/lib" "${WeftWolfSSL_PREFIX}/lib64" NO_DEFAULT_PATH)
else()
  find_path(WeftWolfSSL_INCLUDE_DIR wolfssl/options.h)
  find_library(WeftWolfSSL_LIBRARY NAMES wolfssl)
endif()

# The preprocessor tells which options.h a source file would really get, and what is in it.
function(_weft_wolfssl_probe)
  set(source "${CMAKE_BINARY_DIR}/CMakeFiles/weft_wolfssl_probe.c")
  file(WRITE "${source}" "#include <wolfssl/options.h>\n#include <wolfssl/version.h>\n")
  set(include_flag)
  list(FIND CMAKE_C_IMPLICIT_INCLUDE_DIRECTORIES "${WeftWolfSSL_INCLUDE_DIR}" implicit)
  if(implicit EQUAL -1)
    set(include_flag -isystem "${WeftWolfSSL_INCLUDE_DIR}")
  endif()

  execute_process(COMMAND "${CMAKE_C_COMPILER}" ${include_flag} -M "${source}"
    OUTPUT_VARIABLE used RESULT_VARIABLE failed ERROR_VARIABLE error)
  if(failed)
    message(FATAL_ERROR "wolfSSL's headers do not compile:\n${error}")
  endif()
  string(REGEX MATCH "[^ \n]*/wolfssl/options\\.h" options_h "${used}")
  file(REAL_PATH "${options_h}" options_real)
  file(REAL_PATH "${WeftWolfSSL_INCLUDE_DIR}/wolfssl/options.h" options_wanted)
  if(NOT options_real STREQUAL options_wanted)
    message(FATAL_ERROR "wolfSSL's options.h comes from ${options_real}, but the library is "
      "${WeftWolfSSL_LIBRARY}. Headers and library must be of one build (is CPATH set?).")
  endif()

  execute_process(COMMAND "${CMAKE_C_COMPILER}" ${include_flag} -dM -E "${source}"
    OUTPUT_VARIABLE macros)
  string(REGEX MATCH "LIBWOLFSSL_VERSION_STRING \"([0-9.]+)" _ "${macros}")
  set(WeftWolfSSL_VERSION "${CMAKE_MATCH_1}" PARENT_SCOPE)
  foreach(pair AES_ASSEMBLY=WOLFSSL_AESNI|WOLFSSL_ARMASM X25519=HAVE_CURVE25519
      TICKET_NONCE=WOLFSSL_TICKET_NONCE_MALLOC KEY_LOG=HAVE_SECRET_CALLBACK
      CERT_GEN=WOLFSSL_CERT_GEN CHAIN_SEEN=WOLFSSL_ALWAYS_VERIFY_CB)
    string(REGEX MATCH "^([A-Z0-9_]+)=(.*)$" _ "${pair}")
    set(name "${CMAKE_MATCH_1}")
    if(macros MATCHES "#define (${CMAKE_MATCH_2})[ \n]")
      set(WeftWolfSSL_${name} "yes" PARENT_SCOPE)
    else()
      set(WeftWolfSSL_${name} "no" PARENT_SCOPE)
    endif()
  endforeach()
endfunction()

if(WeftWolfSSL_INCLUDE_DIR AND WeftWolfSSL_LIBRARY)
  _weft_wolfssl_probe()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(WeftWolfSSL
  REQUIRED_VARS WeftWolfSSL_LIBRARY WeftWolfSSL_INCLUDE_DIR
  VERSION_VAR WeftWolfSSL_VERSION
  REASON_FAILURE_MESSAGE "run scripts/setup, or set WEFT_WOLFSSL to the prefix of a wolfSSL >= 5.5.4")

if(WeftWolfSSL_FOUND AND NOT WeftWolfSSL_FIND_QUIETLY)
  message(STATUS "wolfSSL ${WeftWolfSSL_VERSION}, ${WeftWolfSSL_INCLUDE_DIR}/wolfssl/options.h: "
    "AES assembly ${WeftWolfSSL_AES_ASSEMBLY}, X25519 ${WeftWolfSSL_X25519}, "
    "ticket-nonce-malloc ${WeftWolfSSL_TICKET_NONCE}, key log ${WeftWolfSSL_KEY_LOG}, "
    "session resumption ${WeftWolfSSL_CHAIN_SEEN}, "
    "certificate generation ${WeftWolfSSL_CERT_GEN}")
  if(NOT WeftWolfSSL_AES_ASSEMBLY)
    message(WARNING "This wolfSSL has no AES assembly: AES-GCM costs about 40 times the CPU time, "
      "a handshake two to three times, and a connection about 18 times the memory. It is correct, "
      "and ChaCha20-Poly1305 is preferred with it. For the fast one run scripts/setup.")
  endif()
  if(NOT WeftWolfSSL_CHAIN_SEEN)
    message(STATUS "wolfSSL: without WOLFSSL_ALWAYS_VERIFY_CB, TLS sessions are not resumed, for "
      "the validity of the server's chain could not be looked at again (run scripts/setup)")
  endif()
  if(NOT WeftWolfSSL_TICKET_NONCE)
    message(STATUS "wolfSSL: without ticket-nonce-malloc, TLS 1.3 servers with long ticket nonces "
      "(rustls) end the connection with error -425")
  endif()
endif()

if(WeftWolfSSL_FOUND AND NOT TARGET weft::wolfssl)
  add_library(weft::wolfssl UNKNOWN IMPORTED)
  set_target_properties(weft::wolfssl PROPERTIES
    IMPORTED_LOCATION "${WeftWolfSSL_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${WeftWolfSSL_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES "m")
endif()
mark_as_advanced(WeftWolfSSL_INCLUDE_DIR WeftWolfSSL_LIBRARY)
