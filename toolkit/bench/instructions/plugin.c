/* A qemu plugin that counts the guest's instructions in a file, which the guest maps into its memory to read the count.
 *
 * Its argument is count=PATH, a file of at least 8 bytes. Debian ships no header for plugins; these declarations are
 * those that versions 1 (qemu 4.2 to 8.2) and 2 (from qemu 9.0 on) of the interface share.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_info;
struct qemu_plugin_tb;
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, void (*callback)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *block, void (*callback)(unsigned, void *),
                                          enum qemu_plugin_cb_flags flags, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
/* Of version 2 alone, by which it is known. */
int qemu_plugin_num_vcpus(void) __attribute__((weak));

#define EXPORTED __attribute__((visibility("default")))
EXPORTED int qemu_plugin_version = 1;

__attribute__((constructor)) static void tell_version(void)
{
    if (qemu_plugin_num_vcpus)
        qemu_plugin_version = 2;
}

/* One counter, added to without a lock: during an inference of a runtime with one thread, one thread runs. */
static volatile uint64_t *executed;

static void runs(unsigned vcpu, void *instructions)
{
    *executed += (uintptr_t)instructions;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
    void *instructions = (void *)(uintptr_t)qemu_plugin_tb_n_insns(block);
    qemu_plugin_register_vcpu_tb_exec_cb(block, runs, QEMU_PLUGIN_CB_NO_REGS, instructions);
}

EXPORTED int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv)
{
    if (argc != 1 || strncmp(argv[0], "count=", 6))
        return 1;
    int file = open(argv[0] + 6, O_RDWR);
    void *mapped = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *executed, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (mapped == MAP_FAILED)
        return 1;
    close(file);
    executed = mapped;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return 0;
}
