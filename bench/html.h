/* SPDX-License-Identifier: Apache-2.0 */
/* html.h - text within a page. */
#pragma once

#include "runtime/text.h"

/* Appends a string so that it is text and nothing else, between tags as well as in a quoted
 * attribute: of HTML and of XML. What is no UTF-8 and what XML has no way to say is a question
 * mark. */
void html_text(struct ln_text *out, const char *string);
