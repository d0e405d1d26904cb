/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/linnet_json.h"

#include "actors/name.h"
#include "runtime/linnet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

yajl_val
linnet_json_parse(const char *document)
{
    char why[256] = "";
    yajl_val tree = yajl_tree_parse(document, why, sizeof why);
    if (tree == NULL) {
        (void)fprintf(stderr, "linnet: %s\n", why);
        ln_exit(LN_EXIT_ERROR, "the node's answer is no JSON");
    }
    return tree;
}

yajl_val
linnet_json_member(yajl_val object, const char *name)
{
    if (!YAJL_IS_OBJECT(object)) {
        return NULL;
    }
    for (size_t i = 0; i < object->u.object.len; i++) {
        if (strcmp(object->u.object.keys[i], name) == 0) {
            return object->u.object.values[i];
        }
    }
    return NULL;
}

const char *
linnet_json_text(yajl_val object, const char *name)
{
    yajl_val member = linnet_json_member(object, name);
    if (!YAJL_IS_STRING(member)) {
        return "";
    }
    name_blot(YAJL_GET_STRING(member));
    return YAJL_GET_STRING(member);
}

uint64_t
linnet_json_number(yajl_val object, const char *name)
{
    yajl_val member = linnet_json_member(object, name);
    return YAJL_IS_NUMBER(member) ? strtoull(YAJL_GET_NUMBER(member), NULL, 10) : 0;
}

bool
linnet_json_true(yajl_val object, const char *name)
{
    return YAJL_IS_TRUE(linnet_json_member(object, name));
}

size_t
linnet_json_count(yajl_val array)
{
    return YAJL_IS_ARRAY(array) ? array->u.array.len : 0;
}

yajl_val
linnet_json_at(yajl_val array, size_t index)
{
    return index < linnet_json_count(array) ? array->u.array.values[index] : NULL;
}
