/* Checking the parameters of QMP commands against a schema, with QEMU's messages: clients show them to people, and some
 * match on them. Members are looked at in the schema's order; what no member claims is told last. */
#include <stdio.h>
#include <string.h>
#include "frontend/qmp.h"

struct member { char name[64]; char type; const char *words; size_t words_len; bool optional; };

/* Reads one "NAME:TYPE[?]"; returns what follows, or NULL at the end. */
static const char *next_member(const char *p, struct member *m)
{
    p += strspn(p, " ");
    if (!*p) return NULL;
    size_t n = strcspn(p, ":");
    *m = (struct member){ .type = p[n + 1] };
    snprintf(m->name, sizeof m->name, "%.*s", (int)n, p);
    p += n + 2;
    if (m->type == 'e') {
        m->words = p + 1;
        m->words_len = strcspn(m->words, ")");
        p = m->words + m->words_len + 1;
    }
    m->optional = *p == '?';
    return p + m->optional;
}

static const char *type_name(char type)
{
    switch (type) {
    case 'i': return "integer";
    case 'b': return "boolean";
    case 'a': return "array";
    case 'o': return "object";
    default: return "string";
    }
}

static bool has_type(const cJSON *v, char type)
{
    switch (type) {
    case 'i': return cJSON_IsNumber(v) && v->valuedouble >= -9.3e18 && v->valuedouble <= 1.9e19 &&
                     (v->valuedouble >= 9e15 || v->valuedouble == (double)(int64_t)v->valuedouble);
    case 'b': return cJSON_IsBool(v);
    case 'a': return cJSON_IsArray(v);
    case 'o': return cJSON_IsObject(v);
    default: return cJSON_IsString(v);
    }
}

static bool is_word(const struct member *m, const char *text)
{
    size_t len = strlen(text);
    for (const char *p = m->words; p < m->words + m->words_len;) {
        size_t n = strcspn(p, "|)");
        if (n == len && strncmp(p, text, n) == 0) return true;
        p += n + 1;
    }
    return false;
}

static bool check_member(const struct member *m, const cJSON *v, const char *prefix, struct qmp_reply *r)
{
    if (!v) {
        if (m->optional) return true;
        qmp_error(r, "GenericError", "Parameter '%s%s' is missing", prefix, m->name);
    } else if (!has_type(v, m->type)) {
        qmp_error(r, "GenericError", "Invalid parameter type for '%s%s', expected: %s", prefix, m->name, type_name(m->type));
    } else if (m->type == 'e' && !is_word(m, v->valuestring)) {
        qmp_error(r, "GenericError", "Parameter '%s' does not accept value '%s'", m->name, v->valuestring);
    } else {
        return true;
    }
    return false;
}

bool qmp_check_args(const char *schema, const cJSON *args, const char *prefix, struct qmp_reply *r)
{
    struct member m;
    for (const char *p = schema; (p = next_member(p, &m)) != NULL;)
        if (!check_member(&m, cJSON_GetObjectItemCaseSensitive(args, m.name), prefix, r)) return false;
    const cJSON *v;
    cJSON_ArrayForEach(v, args) {
        const char *p = schema;
        while ((p = next_member(p, &m)) != NULL && strcmp(m.name, v->string) != 0) {}
        if (p) continue;
        qmp_error(r, "GenericError", "Parameter '%s%s' is unexpected", prefix, v->string);
        return false;
    }
    return true;
}

const char *qmp_string(const cJSON *args, const char *name)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(args, name);
    return cJSON_IsString(v) ? v->valuestring : NULL;
}

uint64_t qmp_integer(const cJSON *args, const char *name, uint64_t absent)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(args, name);
    if (!cJSON_IsNumber(v)) return absent;
    if (v->valuedouble >= 18446744073709551615.0) return ~0ull;
    return v->valuedouble < 0 ? (uint64_t)(int64_t)v->valuedouble : (uint64_t)v->valuedouble;
}

bool qmp_flag(const cJSON *args, const char *name) { return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(args, name)); }
