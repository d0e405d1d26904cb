/* SPDX-License-Identifier: Apache-2.0 */
/* linnet_json.h - what stands in a node's documents. They are the node's own: a member that is
 * missing is a zero or an empty text, as an older node's would be. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <yajl/yajl_tree.h>

/* Never NULL: a document that can't be read ends the calling actor, and with it the tool. */
yajl_val linnet_json_parse(const char *document);
/* A member of an object; NULL: there is none. */
yajl_val linnet_json_member(yajl_val object, const char *name);
const char *linnet_json_text(yajl_val object, const char *name);
uint64_t linnet_json_number(yajl_val object, const char *name);
bool linnet_json_true(yajl_val object, const char *name);
/* An array's elements; 0 and NULL for anything else. */
size_t linnet_json_count(yajl_val array);
yajl_val linnet_json_at(yajl_val array, size_t index);
