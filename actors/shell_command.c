/* SPDX-License-Identifier: Apache-2.0 */
/* The table of commands, and what their functions share. The tool has a table of its own, with the
 * words for people; here is what the node can do. */
#include "actors/shell_priv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct command {
    const char *noun;
    const char *verb;              /* NULL: the noun is all */
    unsigned words_min, words_max; /* behind them */
    void (*run)(struct shell_call *call);
};

static const struct command commands[] = {
    {"status", NULL, 0, 0, shell_status},
    {"ps", NULL, 0, 1, shell_ps},   /* [cursor] */
    {"top", NULL, 2, 2, shell_top}, /* order limit */
    {"hot", NULL, 0, 0, shell_hot},
    {"calls", NULL, 0, 1, shell_calls}, /* [cursor] */
    {"tree", NULL, 0, 0, shell_tree},
    {"inspect", NULL, 1, 1, shell_inspect}, /* pid or user */
    {"trace", NULL, 3, 4, shell_trace},     /* pid or user, events, milliseconds [cursor] */
    {"crashes", NULL, 0, 0, shell_crashes},
    {"stalls", NULL, 0, 0, shell_stalls},
    {"kill", NULL, 1, 1, shell_kill}, /* pid, behaviour or "any" */
    {"config", "show", 0, 0, shell_config},
    {"store", "info", 0, 0, shell_store},
    {"msg", "trace", 1, 1, shell_msg_trace},   /* user/device/number */
    {"group", "list", 0, 1, shell_group_list}, /* [cursor] */
    {"group", "show", 1, 1, shell_group_show},
    {"group", "members", 1, 2, shell_group_members}, /* group [cursor] */
    {"user", "add", 1, 2, shell_user_add},           /* name [password] */
    {"user", "list", 0, 1, shell_user_list},         /* [cursor] */
    {"user", "passwd", 2, 2, shell_user_passwd},     /* name password */
    {"user", "remove", 1, 1, shell_user_remove},
    {"users", "remove", 1, SHELL_IMPORT_MAX, shell_users_remove},   /* name... */
    {"user", "export", 1, 2, shell_user_export},                    /* name [cursor] */
    {"user", "token", 1, 2, shell_user_token},                      /* name [device] */
    {"push", "show", 1, 1, shell_push_show},                        /* user */
    {"push", "test", 1, 2, shell_push_test},                        /* user [device] */
    {"user", "revoke", 2, 2, shell_user_revoke},                    /* name device */
    {"user", "import", 2, 2 * SHELL_IMPORT_MAX, shell_user_import}, /* (name device)... */
};

static bool
command_named(const struct command *command, const struct shell_call *call)
{
    if (strcmp(command->noun, call->words[0]) != 0) {
        return false;
    }
    return command->verb == NULL || (call->count > 1 && strcmp(command->verb, call->words[1]) == 0);
}

void
shell_command_run(struct shell_call *call)
{
    for (unsigned i = 0; call->count > 0 && i < sizeof commands / sizeof commands[0]; i++) {
        const struct command *command = &commands[i];
        if (!command_named(command, call)) {
            continue;
        }
        unsigned named = command->verb != NULL ? 2 : 1;
        call->words += named;
        call->count -= named;
        if (call->count < command->words_min || call->count > command->words_max) {
            shell_fail(call, SHELL_USAGE, "%s%s%s: %u words, where %u to %u can stand",
                       command->noun, command->verb != NULL ? " " : "",
                       command->verb != NULL ? command->verb : "", call->count, command->words_min,
                       command->words_max);
            return;
        }
        command->run(call);
        if (call->out->cut) {
            shell_fail(call, SHELL_FAILED, "the answer would have more than %d bytes",
                       SHELL_ANSWER_BYTES_MAX);
        }
        return;
    }
    shell_fail(call, SHELL_USAGE,
               "this node does not know this command: is the tool of the same version (%s)?",
               LINNET_VERSION);
}

void
shell_fail(struct shell_call *call, enum shell_status status, const char *format, ...)
{
    char sentence[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    ln_text_init(call->out, call->out->data, call->out->bytes_max);
    ln_text_print(call->out, "{\"error\":\"");
    ln_text_json(call->out, sentence);
    ln_text_print(call->out, "\"}");
    call->status = status;
    call->next[0] = '\0';
}

void
shell_fail_errno(struct shell_call *call, int error, const char *what)
{
    switch (error) {
    case -ENOSPC:
        shell_fail(call, SHELL_FAILED, "%s: the disk is full", what);
        break;
    case -EAGAIN:
        shell_fail(call, SHELL_FAILED, "%s: the node has too much to do; try again", what);
        break;
    case -ETIMEDOUT:
    case -ESRCH:
        shell_fail(
            call, SHELL_FAILED,
            "%s: no answer from the store, which may have done it; look before you try again",
            what);
        break;
    case -ECANCELED:
        shell_fail(call, SHELL_FAILED, "%s: the node is stopping", what);
        break;
    default:
        shell_fail(call, SHELL_FAILED, "%s: %s", what, strerrordesc_np(-error));
        break;
    }
}

void
shell_put_text(struct shell_call *call, const char *name, const char *text)
{
    ln_text_print(call->out, "\"%s\":\"", name);
    ln_text_json(call->out, text);
    ln_text_print(call->out, "\",");
}

void
shell_put_tag(struct shell_call *call, uint32_t tag, const char *tag_name)
{
    shell_put_number(call, "tag", tag);
    if (tag_name != NULL) {
        shell_put_text(call, "tag_name", tag_name);
    }
}

void
shell_put_name(struct shell_call *call, const struct store_name *name)
{
    char text[STORE_NAME_BYTES_MAX + 1] = "";
    memcpy(text, name->text, name->bytes);
    shell_put_text(call, "name", text);
}

void
shell_put_pid(struct shell_call *call, const char *name, ln_pid pid)
{
    char text[SHELL_PID_BYTES];
    shell_pid_print(pid, text);
    shell_put_text(call, name, text);
}

void
shell_put_number(struct shell_call *call, const char *name, uint64_t value)
{
    ln_text_print(call->out, "\"%s\":%llu,", name, (unsigned long long)value);
}

void
shell_put_end(struct shell_call *call, const char *end)
{
    struct ln_text *out = call->out;
    if (out->bytes > 0 && out->data[out->bytes - 1] == ',') {
        out->data[--out->bytes] = '\0';
    }
    ln_text_print(out, "%s", end);
}

bool
shell_row_fits(const struct shell_call *call)
{
    return call->out->bytes_max - call->out->bytes > SHELL_ROW_BYTES_MAX;
}
