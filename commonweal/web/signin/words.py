"""Every word of the sign-in pages, both languages side by side: pages, fields, refusals, messages, letters."""

from __future__ import annotations

from dataclasses import dataclass, field

from commonweal.kernel.text import Text


@dataclass(frozen=True)
class Page:
    """What a page of allauth is called, what it says before its form, and what its button does."""

    title: Text
    submit: Text
    intro: Text | None = None


@dataclass(frozen=True)
class Field:
    """How an input is called, what helps to fill it in, and what is said when it is empty."""

    label: Text
    missing: Text
    hint: Text | None = None
    attributes: dict[str, str] = field(default_factory=dict)


_CONFIRM = Text("Go on", "继续")
_SENT = Text(
    "We have sent a code to {to}, if that is possible. It holds for a few minutes. Nothing there? Look into the spam "
    "folder.",
    "验证码已发送至 {to}（若可送达），几分钟内有效。没有收到？请看看垃圾邮件。",
)

PAGES = {
    "account_login": Page(Text("Sign in", "登录"), Text("Sign in", "登录")),
    "account_signup": Page(
        Text("Join in", "注册"),
        Text("Join in", "注册"),
        Text(
            "An address is all we need. What you gave as a guest in this browser becomes yours.",
            "只需一个邮箱。您在此浏览器中以访客身份的捐助会归入新账号。",
        ),
    ),
    "account_signup_by_passkey": Page(
        Text("Join in with a passkey", "用通行密钥注册"),
        _CONFIRM,
        Text(
            "No password to think up: your phone or computer keeps a key and asks for your finger, face or PIN.",
            "不用设密码：由您的手机或电脑保管密钥，用指纹、面容或 PIN 确认。",
        ),
    ),
    "account_logout": Page(
        Text("Sign out", "退出登录"),
        Text("Sign out", "退出登录"),
        Text("You can come back at any time.", "您随时可以再次登录。"),
    ),
    "account_reauthenticate": Page(
        Text("Confirm that it is you", "请确认是您本人"),
        Text("Confirm", "确认"),
        Text("This concerns the safety of your account.", "此操作关系到您的账号安全。"),
    ),
    "account_email": Page(Text("Your e-mail address", "您的邮箱"), Text("Change the address", "更换邮箱")),
    "account_email_verification_sent": Page(Text("Enter the code", "填写验证码"), _CONFIRM, _SENT),
    "account_confirm_login_code": Page(Text("Enter the code", "填写验证码"), _CONFIRM, _SENT),
    "account_confirm_password_reset_code": Page(Text("Enter the code", "填写验证码"), _CONFIRM, _SENT),
    "account_change_password": Page(Text("Change your password", "修改密码"), Text("Change it", "修改")),
    "account_set_password": Page(Text("Set a password", "设置密码"), Text("Set it", "设置")),
    "account_reset_password": Page(
        Text("Forgotten your password?", "忘记密码"),
        Text("Send me a code", "发送验证码"),
        Text("We send you a code with which you set a new one.", "我们会发送验证码，用于设置新密码。"),
    ),
    "account_complete_password_reset": Page(Text("Choose a new password", "设置新密码"), Text("Set it", "设置")),
    "account_password_reset_completed": Page(
        Text("Your new password is set", "新密码已生效"),
        _CONFIRM,
        Text("You can sign in with it now.", "现在可以用新密码登录。"),
    ),
    "account_inactive": Page(
        Text("This account is closed", "此账号已停用"),
        _CONFIRM,
        Text("Write to us if you think that this is a mistake.", "如有疑问，请与我们联系。"),
    ),
    "account_phone": Page(
        Text("Sign in with your phone", "手机号登录"),
        Text("Send me a code", "发送验证码"),
        Text(
            "We send you a code by text message. If you are new here, it makes your account.",
            "我们会发送短信验证码。首次使用会自动注册。",
        ),
    ),
    "account_phone_code": Page(Text("Enter the code", "填写验证码"), _CONFIRM, _SENT),
    "mfa_index": Page(Text("Safer sign-in", "登录保护"), _CONFIRM),
    "mfa_authenticate": Page(
        Text("One more step", "还有一步"),
        Text("Sign in", "登录"),
        Text(
            "Enter the code that your authenticator app shows, or one of your recovery codes.",
            "请输入身份验证器中的验证码，或一个恢复码。",
        ),
    ),
    "mfa_reauthenticate": Page(
        Text("Confirm that it is you", "请确认是您本人"),
        Text("Confirm", "确认"),
        Text("Enter the code that your authenticator app shows.", "请输入身份验证器中的验证码。"),
    ),
    "mfa_reauthenticate_webauthn": Page(
        Text("Confirm that it is you", "请确认是您本人"), Text("Use a passkey", "使用通行密钥")
    ),
    "mfa_activate_totp": Page(
        Text("Set up an authenticator app", "设置身份验证器"),
        Text("Switch it on", "启用"),
        Text(
            "Scan the picture with your authenticator app, or type the key into it. Then enter the code that it shows.",
            "用身份验证器扫描下图，或手动输入下面的密钥，然后填写它显示的验证码。",
        ),
    ),
    "mfa_deactivate_totp": Page(
        Text("Switch the authenticator app off", "停用身份验证器"),
        Text("Switch it off", "停用"),
        Text("From then on your account is less well protected.", "停用后，账号的保护会减弱。"),
    ),
    "mfa_view_recovery_codes": Page(Text("Recovery codes", "恢复码"), _CONFIRM),
    "mfa_generate_recovery_codes": Page(
        Text("New recovery codes", "生成新的恢复码"),
        Text("Make new codes", "生成"),
        Text(
            "Each code opens your account once. Older codes stop working.", "每个恢复码只能使用一次，旧的恢复码会失效。"
        ),
    ),
    "mfa_list_webauthn": Page(Text("Passkeys and security keys", "通行密钥与安全密钥"), _CONFIRM),
    "mfa_add_webauthn": Page(Text("Add a passkey", "添加通行密钥"), Text("Add it", "添加")),
    "mfa_edit_webauthn": Page(Text("Rename a key", "修改密钥名称"), Text("Rename it", "保存")),
    "mfa_remove_webauthn": Page(
        Text("Remove a key", "移除密钥"),
        Text("Remove it", "移除"),
        Text("You can no longer sign in with it then.", "移除后将不能再用它登录。"),
    ),
    "mfa_signup_webauthn": Page(
        Text("Make your passkey", "创建通行密钥"),
        Text("Make it", "创建"),
        Text(
            "Give it a name by which you will know it, such as that of your phone.",
            "给它起个便于辨认的名称，例如手机型号。",
        ),
    ),
}

_EMAIL = Field(
    Text("E-mail address", "邮箱"),
    Text("Enter your e-mail address.", "请填写邮箱。"),
    attributes={"type": "email", "autocomplete": "email", "inputmode": "email"},
)
_NEW_PASSWORD = Field(
    Text("New password", "新密码"),
    Text("Enter a new password.", "请填写新密码。"),
    Text(
        "At least 10 characters; three or four words are easy to remember.",
        "至少 10 个字符；三四个词连起来既好记又安全。",
    ),
    {"type": "password", "autocomplete": "new-password", "minlength": "10"},
)
_PASSWORD = Field(
    Text("Password", "密码"),
    Text("Enter your password.", "请填写密码。"),
    attributes={"type": "password", "autocomplete": "current-password"},
)

FIELDS = {
    "login": _EMAIL,
    "email": _EMAIL,
    "password": _PASSWORD,
    "oldpassword": Field(
        Text("Current password", "当前密码"),
        Text("Enter your current password.", "请填写当前密码。"),
        attributes=_PASSWORD.attributes,
    ),
    "password1": _NEW_PASSWORD,
    "password2": Field(
        Text("The new password once more", "再次输入新密码"),
        Text("Enter the new password once more.", "请再次填写新密码。"),
        attributes=_NEW_PASSWORD.attributes,
    ),
    "remember": Field(
        Text("Stay signed in on this device", "在此设备上保持登录"),
        Text("Choose.", "请选择。"),
        attributes={"type": "checkbox"},
    ),
    "code": Field(
        Text("Code", "验证码"),
        Text("Enter the code.", "请填写验证码。"),
        attributes={"autocomplete": "one-time-code", "autocapitalize": "characters", "spellcheck": "false"},
    ),
    "phone": Field(
        Text("Mobile number", "手机号"),
        Text("Enter your mobile number.", "请填写手机号。"),
        Text("Numbers outside China begin with + and the country.", "中国大陆以外的号码请以 + 和国家代码开头。"),
        {"type": "tel", "autocomplete": "tel", "inputmode": "tel"},
    ),
    "name": Field(
        Text("Name of the key", "密钥名称"), Text("Enter a name.", "请填写名称。"), attributes={"maxlength": "100"}
    ),
    "passwordless": Field(
        Text("Sign in with this key alone", "仅凭此密钥登录"),
        Text("Choose.", "请选择。"),
        Text("The device then asks for your finger, face or PIN.", "设备会要求指纹、面容或 PIN。"),
        {"type": "checkbox"},
    ),
}

ERRORS = {
    "account_inactive": Text("This account is closed.", "此账号已停用。"),
    "duplicate_email": Text("This is your address already.", "这已经是您的邮箱。"),
    "email_password_mismatch": Text(
        "Address and password do not go together. Check both, or ask for a new password.",
        "邮箱或密码不正确。请检查，或重设密码。",
    ),
    "email_taken": Text("This address cannot be used.", "此邮箱无法使用。"),
    "enter_current_password": Text("This is not your current password.", "当前密码不正确。"),
    "incorrect_code": Text("This is not the code that we sent. Check it.", "验证码不正确，请核对。"),
    "incorrect_password": Text("This is not your password.", "密码不正确。"),
    "invalid_or_expired_key": Text("This code has run out. Ask for a new one.", "验证码已失效，请重新获取。"),
    "invalid_login": Text("This sign-in did not work.", "登录失败。"),
    "invalid_password_reset": Text("This code has run out. Ask for a new one.", "验证码已失效，请重新获取。"),
    "too_many_login_attempts": Text("Too many attempts. Wait five minutes.", "尝试次数过多，请五分钟后再试。"),
    "same_as_current": Text("This is what you have already.", "与当前的相同。"),
    "rate_limited": Text("A little slower, please: wait a minute.", "操作太频繁，请等一分钟。"),
    "unverified_primary_email": Text("Confirm your address first.", "请先验证邮箱。"),
    "cannot_delete_authenticator": Text("This protection has to stay on.", "此保护不能停用。"),
    "cannot_generate_recovery_codes": Text("Set up an authenticator app first.", "请先设置身份验证器。"),
    "add_email_blocked": Text("Switch safer sign-in off before.", "请先停用登录保护。"),
    "unverified_email": Text("Confirm your address first.", "请先验证邮箱。"),
}
"""Refusals of allauth, by its own codes."""

CODES = {
    "invalid": Text("This is not in the right form. Check it.", "格式不正确，请检查。"),
    "max_length": Text("This is too long.", "内容过长。"),
    "null_characters_not_allowed": Text("This has characters that cannot be used.", "含有不能使用的字符。"),
    "password_too_short": Text("A password needs at least 10 characters.", "密码至少 10 个字符。"),
    "password_too_common": Text("Too many people use this password.", "这个密码太常见。"),
}
"""Refusals of Django's fields, by their codes."""

MESSAGES = {
    "email_confirmed": Text("Your address is confirmed.", "邮箱已验证。"),
    "email_deleted": Text("The address has been removed.", "邮箱已移除。"),
    "password_changed": Text("Your password has been changed.", "密码已修改。"),
    "password_set": Text("Your password is set.", "密码已设置。"),
    "primary_email_set": Text("Your address has been changed.", "邮箱已更换。"),
    "recovery_codes_generated": Text("Your new recovery codes are ready.", "新的恢复码已生成。"),
    "totp_activated": Text("The authenticator app is on.", "身份验证器已启用。"),
    "totp_deactivated": Text("The authenticator app is off.", "身份验证器已停用。"),
    "webauthn_added": Text("The key has been added.", "密钥已添加。"),
    "webauthn_removed": Text("The key has been removed.", "密钥已移除。"),
}
"""What is said after something was done; what is not here is said by the page itself."""

_NOT_YOU = Text("If this was not you, nothing needs to be done.", "若非您本人操作，无需理会。")
_WAS_IT_YOU = Text(
    "If this was not you, reset your password at once and look through your sign-in settings.",
    "若非您本人操作，请立即重设密码并检查登录设置。",
)


@dataclass(frozen=True)
class Letter:
    """A mail: `{code}` in either text is filled in."""

    subject: Text
    body: Text


def _code(what: Text) -> Letter:
    body = Text("{what}: {{code}}\n\n{rest}", "{what}：{{code}}\n\n{rest}").format(what=what, rest=_NOT_YOU)
    return Letter(what, body)


def _notice(what: Text) -> Letter:
    return Letter(what, Text("{what}.\n\n{rest}", "{what}。\n\n{rest}").format(what=what, rest=_WAS_IT_YOU))


LETTERS = {
    "email_confirmation_signup": _code(Text("Your code to confirm this address", "您的邮箱验证码")),
    "email_confirmation": _code(Text("Your code to confirm this address", "您的邮箱验证码")),
    "password_reset_code": _code(Text("Your code for a new password", "您的重设密码验证码")),
    "login_code": _code(Text("Your code to sign in", "您的登录验证码")),
    "account_already_exists": Letter(
        Text("You have an account here", "您已有账号"),
        Text(
            "Somebody, perhaps you, wanted to join with this address. You have an account already: sign in, or ask for "
            "a new password.\n\n{rest}",
            "有人（可能是您）用此邮箱注册。您已有账号，请直接登录或重设密码。\n\n{rest}",
        ).format(rest=_NOT_YOU),
    ),
    "password_changed": _notice(Text("Your password has been changed", "您的密码已修改")),
    "password_set": _notice(Text("A password has been set", "您的密码已设置")),
    "password_reset": _notice(Text("Your password has been reset", "您的密码已重设")),
    "email_changed": _notice(Text("Your address has been changed", "您的邮箱已更换")),
    "email_deleted": _notice(Text("An address has been removed", "一个邮箱已移除")),
    "email_confirm": _notice(Text("Your address is confirmed", "您的邮箱已验证")),
    "totp_activated": _notice(Text("An authenticator app has been set up", "身份验证器已启用")),
    "totp_deactivated": _notice(Text("The authenticator app has been switched off", "身份验证器已停用")),
    "recovery_codes_generated": _notice(Text("New recovery codes have been made", "已生成新的恢复码")),
    "webauthn_added": _notice(Text("A passkey or security key has been added", "已添加通行密钥或安全密钥")),
    "webauthn_removed": _notice(Text("A passkey or security key has been removed", "已移除通行密钥或安全密钥")),
}
"""The mails, by allauth's names for them."""

TEXT_MESSAGE = Text("{code} is your code for Commonweal. Give it to nobody.", "【同心】验证码 {code}，请勿告诉任何人。")
