/* Runs a fuzz target over the files, and the files of the directories, that are its arguments: the
 * seed corpus as a normal test, and a crash found elsewhere as a program to debug. */
#include "fuzz.h"

#include <dirent.h>
#include <sys/stat.h>

static size_t replayed;

static int complain(const char *path)
{
    perror(path);
    return 1;
}

static int replay_file(const char *path, size_t len)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return complain(path);
    /* Of the exact size, so that a sanitizer sees the first octet behind it. */
    uint8_t *data = malloc(len > 0 ? len : 1);
    if (data == NULL || fread(data, 1, len, file) != len) {
        free(data);
        (void)fclose(file); /* only read from */
        return complain(path);
    }
    (void)fclose(file); /* only read from */
    (void)LLVMFuzzerTestOneInput(data, len);
    free(data);
    replayed++;
    return 0;
}

static int replay(const char *path);

static int replay_directory(const char *path)
{
    int failed = 0;
    DIR *dir = opendir(path);
    if (dir == NULL)
        return complain(path);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        char inner[4096];
        if (entry->d_name[0] == '.')
            continue;
        int len = snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
        failed |= len < (int)sizeof(inner) ? replay(inner) : 1;
    }
    (void)closedir(dir); /* only read from */
    return failed;
}

static int replay(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return complain(path);
    return S_ISDIR(info.st_mode) ? replay_directory(path) : replay_file(path, (size_t)info.st_size);
}

int main(int argc, char **argv)
{
    int failed = 0;
    for (int i = 1; i < argc; i++)
        failed |= replay(argv[i]);
    printf("%zu inputs\n", replayed);
    /* A corpus that was not found must not pass. */
    return failed != 0 || replayed == 0;
}
