/* SPDX-License-Identifier: MPL-2.0 */
/* not_a_plugin - a shared object, and nothing more. The version script keeps even this function in. */
int not_a_plugin(void);

int not_a_plugin(void)
{
    return 2385;
}
