# Finds wolfSSL and makes the target weft::wolfssl.
#   WEFT_WOLFSSL_PREFIX   a private prefix (lib/libwolfssl.a, include/wolfssl/options.h); looked in first
set(WEFT_WOLFSSL_PREFIX "$ENV{WEFT_WOLFSSL_PREFIX}" CACHE PATH "Prefix of a wolfSSL built for weft")
set(_hints)
if(WEFT_WOLFSSL_PREFIX)
  list(APPEND _hints "${WEFT_WOLFSSL_PREFIX}")
elseif(EXISTS "/opt/weft-wolfssl/include/wolfssl/options.h")
  list(APPEND _hints "/opt/weft-wolfssl")
endif()
if(_hints)
  find_path(WeftWolfSSL_INCLUDE_DIR wolfssl/options.h PATHS ${_hints} PATH_SUFFIXES include NO_DEFAULT_PATH)
  find_library(WeftWolfSSL_LIBRARY NAMES libwolfssl.a wolfssl PATHS ${_hints} PATH_SUFFIXES lib NO_DEFAULT_PATH)
endif()
find_path(WeftWolfSSL_INCLUDE_DIR wolfssl/options.h)
find_library(WeftWolfSSL_LIBRARY NAMES wolfssl)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(WeftWolfSSL REQUIRED_VARS WeftWolfSSL_LIBRARY WeftWolfSSL_INCLUDE_DIR)
if(WeftWolfSSL_FOUND AND NOT TARGET weft::wolfssl)
  add_library(weft::wolfssl UNKNOWN IMPORTED)
  set_target_properties(weft::wolfssl PROPERTIES
    IMPORTED_LOCATION "${WeftWolfSSL_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${WeftWolfSSL_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES "m")
endif()
