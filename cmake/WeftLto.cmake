# Optimising across files, with gcc, in release builds.
#
# The objects hold both machine code and what the optimiser needs for another round. Programs of this
# tree take the first (tests: links stay quick). The library is made of one object, weft_whole.o, for
# which the whole was compiled once more as one program: only the public functions are seen from
# outside. It is ordinary machine code, so that whoever links the installed archive needs neither
# this compiler nor an option. clang has no such objects and is left as it is.
option(WEFT_LTO "Optimise the library across files (gcc, build type Release)" ${PROJECT_IS_TOP_LEVEL})

set(WEFT_LTO_IS_ON OFF)
if(WEFT_LTO AND CMAKE_C_COMPILER_ID STREQUAL "GNU" AND CMAKE_BUILD_TYPE STREQUAL "Release"
    AND NOT WEFT_SANITIZE AND NOT WEFT_COVERAGE)
  set(WEFT_LTO_IS_ON ON)
  # Else the linker's plugin would take the second part of each object everywhere.
  string(APPEND CMAKE_EXE_LINKER_FLAGS " -fno-lto")
endif()

# For objects that may be optimised as one.
function(weft_lto_objects target)
  if(WEFT_LTO_IS_ON)
    target_compile_options(${target} PRIVATE -flto=auto -ffat-lto-objects)
  endif()
endfunction()

# For a program in which internals are to run as they do in the library.
function(weft_lto_program target)
  if(WEFT_LTO_IS_ON)
    target_link_options(${target} PRIVATE -flto)
  endif()
endfunction()

# Sets @out to what the library is made of.
function(weft_lto_whole target out)
  if(NOT WEFT_LTO_IS_ON)
    set(${out} $<TARGET_OBJECTS:${target}> PARENT_SCOPE)
    return()
  endif()
  set(whole "${PROJECT_BINARY_DIR}/weft_whole.o")
  separate_arguments(flags UNIX_COMMAND "${CMAKE_C_FLAGS} ${CMAKE_C_FLAGS_RELEASE}")
  add_custom_command(OUTPUT "${whole}"
    COMMAND "${CMAKE_C_COMPILER}" ${flags} -fPIC -fvisibility=hidden -flto=auto -fwhole-program
      -flinker-output=dyn -nostdlib -r -o "${whole}" $<TARGET_OBJECTS:${target}>
    DEPENDS ${target} $<TARGET_OBJECTS:${target}>
    COMMENT "Optimising the library as a whole" COMMAND_EXPAND_LISTS VERBATIM)
  set_source_files_properties("${whole}" PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
  set(${out} "${whole}" PARENT_SCOPE)
endfunction()
