//! Grammar of attribute arguments: `name`, `name = value` and `name(..)`, separated by commas.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{Attribute, Ident, Lit, LitStr, Meta, Token, Type, parenthesized, token};

/// One argument of an attribute.
#[derive(Clone)]
pub(crate) struct Opt {
    pub(crate) name: Ident,
    pub(crate) value: Value,
}

/// What follows an option's name.
#[derive(Clone)]
pub(crate) enum Value {
    Flag,
    Lit(Lit),
    /// A type, or a single word, which looks the same.
    Type(Box<Type>),
    List(Vec<Opt>),
    /// Something after `=` that no option takes.
    Other(TokenStream),
}

impl Opt {
    /// Parses a whole argument list.
    pub(crate) fn list(args: TokenStream) -> syn::Result<Vec<Self>> {
        let parser = Punctuated::<Self, Token![,]>::parse_terminated;
        Ok(syn::parse::Parser::parse2(parser, args)?.into_iter().collect())
    }

    /// Parses the arguments of an attribute, which may have none.
    pub(crate) fn of(attr: &Attribute) -> syn::Result<Vec<Self>> {
        match &attr.meta {
            Meta::Path(_) => Ok(Vec::new()),
            Meta::List(list) => Self::list(list.tokens.clone()),
            Meta::NameValue(pair) => Err(syn::Error::new(
                pair.eq_token.span,
                format!("unexpected `=`; write `#[{}(..)]`", pair.path.to_token_stream()),
            )),
        }
    }
}

impl Opt {
    /// The place of the value, or of the name where there is none.
    pub(crate) fn value_span(&self) -> Span {
        self.to_token_stream().span()
    }
}

impl Parse for Opt {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.call(Ident::parse_any)?;
        let value = if input.peek(token::Paren) {
            let inner;
            parenthesized!(inner in input);
            let list = Punctuated::<Self, Token![,]>::parse_terminated(&inner)?;
            Value::List(list.into_iter().collect())
        } else if input.parse::<Option<Token![=]>>()?.is_some() {
            Value::parse(input)?
        } else {
            Value::Flag
        };
        Ok(Self { name, value })
    }
}

impl Value {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if let Some(lit) = complete(input) {
            return Ok(Self::Lit(lit));
        }
        if let Some(ty) = complete(input) {
            return Ok(Self::Type(Box::new(ty)));
        }
        if input.is_empty() {
            return Err(input.error("expected a value"));
        }
        let mut tokens = TokenStream::new();
        while !input.is_empty() && !input.peek(Token![,]) {
            tokens.extend([input.parse::<proc_macro2::TokenTree>()?]);
        }
        Ok(Self::Other(tokens))
    }
}

impl ToTokens for Opt {
    /// The part that a message points at.
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match &self.value {
            Value::Flag | Value::List(_) => self.name.to_tokens(tokens),
            Value::Lit(lit) => lit.to_tokens(tokens),
            Value::Type(ty) => ty.to_tokens(tokens),
            Value::Other(other) => other.to_tokens(tokens),
        }
    }
}

/// The text between the parentheses of `#[every("20ms")]`.
pub(crate) fn text(attr: &Attribute) -> Option<LitStr> {
    attr.parse_args().ok()
}

/// Parses a `T`, if it reaches to the next comma or to the end.
fn complete<T: Parse>(input: ParseStream<'_>) -> Option<T> {
    use syn::parse::discouraged::Speculative as _;

    let ahead = input.fork();
    let parsed = ahead.parse().ok()?;
    if !ahead.is_empty() && !ahead.peek(Token![,]) {
        return None;
    }
    input.advance_to(&ahead);
    Some(parsed)
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    fn shape(args: TokenStream) -> Vec<String> {
        let shape = |opt: &Opt| {
            let kind = match &opt.value {
                Value::Flag => "flag",
                Value::Lit(_) => "lit",
                Value::Type(_) => "type",
                Value::List(_) => "list",
                Value::Other(_) => "other",
            };
            format!("{} {kind}", opt.name)
        };
        Opt::list(args).unwrap().iter().map(shape).collect()
    }

    #[test]
    fn forms() {
        let args = quote!(tell, event = Map<A, B>, capacity = 64, supervise(max = 1, then = stop),);
        assert_eq!(shape(args), ["tell flag", "event type", "capacity lit", "supervise list"]);
        assert_eq!(shape(quote!(a = 1 + 2, b = "x")), ["a other", "b lit"]);
        assert!(shape(quote!()).is_empty());
    }

    #[test]
    fn mistakes() {
        assert!(Opt::list(quote!(a b)).is_err());
        assert!(Opt::list(quote!(a =)).is_err());
        assert!(Opt::list(quote!("a")).is_err());
    }
}
