// SPDX-License-Identifier: Apache-2.0
#include <linnet/node.h>

#include <cstdio>

static void greet(void *, ln_msg **msg)
{
    std::printf("Hello from actor %s!\n", reinterpret_cast<const char *>((*msg)->data));
}

static void root_run(void *)
{
    ln_behaviour greeter{};
    greeter.name = "greeter";
    greeter.handle = greet;
    static const ln_behaviour kept = greeter;
    for (char name = 'A'; name <= 'B'; name++) {
        ln_pid pid;
        ln_msg *msg = ln_msg_new(1, LN_DURABLE, 2);
        msg->data[0] = static_cast<unsigned char>(name);
        ln_actor_check(ln_spawn(&kept, nullptr, 0, nullptr, &pid) == 0);
        ln_send(pid, &msg);
    }
    ln_yield();
}

int main()
{
    static ln_behaviour root{};
    root.name = "root";
    root.run = root_run;
    return ln_node_run(&root, nullptr, 0);
}
