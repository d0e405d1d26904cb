/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/peers/xmpp.h"

#include "tests/spec.h"

#include <errno.h>
#include <string.h>

static struct xmpp_stanza stanza;

static int
next(const char *text)
{
    return xmpp_next(text, strlen(text), &stanza);
}

static void
opened(void **state)
{
    (void)state;
    static const char text[] = "<?xml version='1.0'?><stream:stream id='1>2' version='1.0'>"
                               "<stream:features><mechanisms><mechanism>PLAIN</mechanism>"
                               "</mechanisms></stream:features>";
    const char *at = text;
    int used = next(at);
    assert_int_equal(used, 21);
    assert_true(stanza.opening);
    at += used;
    used = next(at);
    assert_true(stanza.opening);
    at += used;
    used = next(at);
    assert_int_equal(used, strlen(at));
    assert_false(stanza.opening);
    assert_true(xmpp_named(&stanza, "stream:features"));
    assert_false(xmpp_named(&stanza, "stream"));
}

static void
cut_anywhere(void **state)
{
    (void)state;
    static const char text[] = " \n<message to=\"a'>b\" id='</message>'><body>1 &lt; 2</body>"
                               "<request xmlns='urn:xmpp:receipts'/></message><presence/>";
    size_t whole = (size_t)(strstr(text, "<presence") - text);
    for (size_t some = 0; some < whole; some++) {
        assert_int_equal(xmpp_next(text, some, &stanza), 0);
    }
    assert_int_equal(next(text), whole);
    assert_true(xmpp_named(&stanza, "message"));
    assert_memory_equal(xmpp_behind(&stanza, "<body>"), "1 &lt; 2", 8);
    assert_null(xmpp_behind(&stanza, "<presence"));
    assert_int_equal(next(text + whole), strlen("<presence/>"));
    assert_true(xmpp_named(&stanza, "presence"));
}

static void
nonsense(void **state)
{
    (void)state;
    assert_int_equal(next("</stream:stream>"), -EPROTO);
    assert_int_equal(next("text"), -EPROTO);
    assert_int_equal(next("  text"), -EPROTO);
    assert_int_equal(next("   "), 0);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a stream's own tag stands alone, and stanzas follow it", opened),
        SPEC("a stanza that is cut anywhere waits for the rest, whatever its quotes hold",
             cut_anywhere),
        SPEC("the end of a stream, or text between stanzas, is an error", nonsense),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
