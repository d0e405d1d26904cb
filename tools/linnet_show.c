/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/linnet_show.h"

int
linnet_show(struct linnet_call *call, const char **words, unsigned count,
            void (*print)(yajl_val tree))
{
    if (call->json) {
        return linnet_ask_print(&call->client, words, count, false);
    }
    yajl_val tree = NULL;
    int code = linnet_ask_tree(&call->client, words, count, &tree);
    if (code == SHELL_DONE) {
        print(tree);
    }
    yajl_tree_free(tree);
    return code;
}
